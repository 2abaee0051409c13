import type { Task, Ticket } from '@baton/protocol';

/** How long a ticket may say that it does not go on before the run gives up: a check that has crashed is made again meanwhile. */
const hinderedMs = 60_000;

export interface Standing {
  readonly ticket: Pick<Ticket, 'blockedReason'>;
  readonly tasks: readonly Pick<Task, 'id'>[];
}

/** Tells, look after look, why a ticket stands still for good though nobody has blocked it; undefined while it may go on. */
export function createHindranceWatch(now: () => number = () => performance.now()): (standing: Standing) => string | undefined {
  let since: number | undefined;
  return ({ ticket: { blockedReason }, tasks }) => {
    since = blockedReason === undefined || tasks.length > 0 ? undefined : (since ?? now());
    return since === undefined || now() - since < hinderedMs ? undefined : blockedReason;
  };
}
