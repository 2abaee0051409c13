import type { Log } from '../log.ts';
import { advanceTicket } from '../ticket/advance.service.ts';
import type { TicketParts } from '../ticket/ticket.service.ts';
import { listTicketsToAdvance } from '../ticket/ticket.store.ts';
import { createLoop, type Loop } from './loop.ts';

export interface TicketAdvancerParts {
  readonly tickets: TicketParts;
  readonly pollMs: number;
  readonly log: Log;
}

/** How many tickets one look finds. */
const ticketsMax = 100;
/** How many tickets are looked at out of turn because something was added to them; the others have their turn. */
const changedMax = 1_000;
/** How many gates are judged at once. */
const concurrencyMax = 4;

/** Moves tickets on whose phase says so and has nothing open, as soon as their last task ends. */
export function createTicketAdvancer({ tickets, pollMs, log }: TicketAdvancerParts): Loop {
  const changed = new Set<string>();
  const underWay = new Map<string, Promise<void>>();

  const advance = (projectId: string, ticketId: string, signal: AbortSignal): Promise<void> => {
    const running = advanceTicket(tickets, projectId, ticketId, signal)
      .catch((error: unknown) => {
        // One ticket that cannot be moved must not hold up the others.
        if (!signal.aborted) log.error({ err: error, ticketId }, 'a ticket could not be advanced');
      })
      .finally(() => underWay.delete(ticketId));
    underWay.set(ticketId, running);
    return running;
  };

  const loop = createLoop({
    name: 'ticket advancer',
    intervalMs: pollMs,
    log,
    async run(signal) {
      const told = [...changed];
      changed.clear();
      const due = await listTicketsToAdvance(tickets.db.em.fork(), { changed: told, limit: ticketsMax });
      for (const { id, projectId } of due) {
        if (signal.aborted) break;
        if (underWay.has(id)) continue;
        void advance(projectId, id, signal);
        if (underWay.size >= concurrencyMax) await Promise.race(underWay.values());
      }
    },
  });
  tickets.db.changes.onChange(({ ticketIds = [] }) => {
    for (const id of ticketIds.slice(0, changedMax - changed.size)) changed.add(id);
    if (ticketIds.length > 0) loop.poke();
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await Promise.all(underWay.values());
    },
  };
}
