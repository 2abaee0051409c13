import { createHash } from 'node:crypto';
import { CoordinatorError, type EventData, type EventName } from '@baton/protocol';
import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import type { CallContext } from '../call.ts';
import { appendEvents } from '../event/event.store.ts';
import type { Changes } from './changes.ts';
import { mayRunAgain, translateDatabaseError } from './errors.ts';
import type { EntityManager } from './orm.ts';
import { findRow, rowsOf } from './rows.ts';

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
      changes.tell({ projectId, events: events.length > 0, tasks, locksDue, requestIds: [...requestIds], ticketIds: [...ticketIds] });
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
  { caller, method }: Pick<CallContext, 'caller' | 'method'>,
  params: { readonly idempotencyKey?: string | undefined },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { idempotencyKey: key, ...rest } = params;
  if (key === undefined) return transact(db, caller.projectId, work);

  // In the canonical form: a caller that sends its parameters again may order their keys otherwise.
  const paramsHash = createHash('sha256')
    .update(canonicalize(rest) ?? '')
    .digest('hex');
  return transact(db, caller.projectId, async (tx) => {
    const taken = await rowsOf(
      tx.em,
      sql`insert into idempotency_keys (project_id, token_id, key, method, params_hash)
          values (${caller.projectId}, ${caller.tokenId}, ${key}, ${method}, ${paramsHash})
          on conflict do nothing returning key`,
    );
    if (taken.length === 0) return answerAgain<T>(tx.em, { caller, method, key, paramsHash });

    const result = await work(tx);
    await rowsOf(
      tx.em,
      sql`update idempotency_keys set result = ${JSON.stringify(result)}::jsonb
          where project_id = ${caller.projectId} and token_id = ${caller.tokenId} and key = ${key}`,
    );
    return result;
  });
}

interface KeptCall {
  readonly caller: CallContext['caller'];
  readonly method: string;
  readonly key: string;
  readonly paramsHash: string;
}

async function answerAgain<T>(em: EntityManager, { caller, method, key, paramsHash }: KeptCall): Promise<T> {
  const kept = await findRow(
    em,
    sql<{ method: string; paramsHash: string; result: T }>`select method, params_hash, result from idempotency_keys
        where project_id = ${caller.projectId} and token_id = ${caller.tokenId} and key = ${key}`,
  );
  if (kept === undefined || kept.method !== method || kept.paramsHash !== paramsHash) {
    throw new CoordinatorError('idempotency_conflict', { idempotencyKey: key, method, ...(kept && { usedWith: kept.method }) });
  }
  return kept.result;
}
