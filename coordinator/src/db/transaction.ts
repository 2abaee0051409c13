import type { EventData, EventName } from '@baton/protocol';
import type { CallContext } from '../call.ts';
import { appendEvents } from '../event/event.store.ts';
import { tellWorkflows } from '../ticket/ticket.store.ts';
import type { Changes } from './changes.ts';
import { mayRunAgain, translateDatabaseError } from './errors.ts';
import { answerAgain, findResults, keepResults, takeKeys, toKeyedCall } from './idempotency.store.ts';
import type { EntityManager } from './orm.ts';

/** What the services write with. */
export interface Database {
  /** Forked for each transaction; never used inside one. */
  readonly em: EntityManager;
  readonly changes: Changes;
  readonly transactionTriesMax: number;
}

interface Hints {
  tasks: boolean;
  locksDue: boolean;
  readonly tasksInMs: number[];
  readonly requestIds: Set<string>;
  /** Something was added to them, or ended: their workflow may move them. Kept with the transaction, so that it is not lost. */
  readonly ticketIds: Set<string>;
}

export interface PendingEvent {
  readonly name: EventName;
  readonly ticketId: string | undefined;
  readonly data: unknown;
}

/** One transaction. Everything done in it uses its `em`; what must wait for the commit is left with it. */
export interface Tx {
  readonly em: EntityManager;
  readonly projectId: string;
  /** Records a fact. Written last, so that the stream's numbers follow the order of commits. */
  record<E extends EventName>(name: E, data: EventData<E>): void;
  /** Hints at what others may do once this has committed. */
  readonly hints: Hints;
  /** Runs once the transaction has committed, in the order given. */
  afterCommit(action: () => void): void;
}

/** Runs `work` in one transaction, again from the start where the database says that this may help. */
export async function transact<T>(db: Database, projectId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const attempt = begin(projectId);
    let result: T;
    try {
      result = await db.em.fork().transactional(async (em) => {
        const result = await work(attempt.open(em));
        await em.flush();
        await tellWorkflows(em, attempt.ticketIds());
        await appendEvents(em, projectId, attempt.events);
        return result;
      });
    } catch (error) {
      if (!mayRunAgain(error) || tries >= db.transactionTriesMax) throw translateDatabaseError(error);
      continue;
    }
    attempt.finish(db.changes);
    return result;
  }
}

function begin(projectId: string) {
  const events: PendingEvent[] = [];
  const actions: (() => void)[] = [];
  const hints: Hints = { tasks: false, locksDue: false, tasksInMs: [], requestIds: new Set(), ticketIds: new Set() };
  return {
    events,
    ticketIds: () => [...hints.ticketIds],
    open: (em: EntityManager): Tx => ({
      em,
      projectId,
      hints,
      record(name, data) {
        const ticketId = 'ticketId' in data && typeof data.ticketId === 'string' ? data.ticketId : undefined;
        events.push({ name, ticketId, data });
      },
      afterCommit: (action) => void actions.push(action),
    }),
    finish(changes: Changes) {
      for (const action of actions) changes.afterCommit(action);
      const { tasks, locksDue, requestIds, ticketIds } = hints;
      changes.tell({ projectId, events: events.length > 0, tasks, locksDue, requestIds: [...requestIds], tickets: ticketIds.size > 0 });
      for (const delayMs of hints.tasksInMs) changes.tellTasksIn(projectId, delayMs);
    },
  };
}

/**
 * Runs a mutating call in one transaction, once per idempotency key: the same key with the same parameters answers what the
 * first call answered, with other parameters it is refused. The key is kept by the transaction that has the effect, so
 * that there is never one without the other.
 */
export async function write<T>(
  db: Database,
  call: Pick<CallContext, 'caller' | 'method'>,
  params: { readonly idempotencyKey?: string | undefined },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { projectId } = call.caller;
  const keyed = toKeyedCall(call, params);
  if (keyed === undefined) return transact(db, projectId, work);

  return transact(db, projectId, async (tx) => {
    const taken = await takeKeys(tx.em, [keyed]);
    if (taken.size === 0) return answerAgain<T>(keyed, (await findResults(tx.em, [keyed]))[0]);
    const result = await work(tx);
    await keepResults(tx.em, [{ call: keyed, result }]);
    return result;
  });
}
