import { CoordinatorError } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { KeyedCall } from '../db/idempotency.store.ts';
import type { Tx } from '../db/transaction.ts';

/** The idempotency key of a call that ends an attempt, with what it was used for. It is kept with the attempt. */
export interface EndKey {
  readonly key: string;
  readonly method: string;
  readonly paramsHash: string;
}

export const toEndKey = (call: KeyedCall | undefined): EndKey | undefined =>
  call && { key: call.key, method: call.method, paramsHash: call.paramsHash };

interface KeyedEnd {
  readonly taskId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly endKey?: EndKey | undefined;
}

/** Of calls that did not end their attempts themselves, those whose key ended the same attempt in another way, each with its refusal. */
export async function findKeyConflicts<Call extends KeyedEnd>(tx: Tx, calls: readonly Call[]): Promise<Map<Call, CoordinatorError>> {
  const keyed = calls.filter(({ endKey }) => endKey !== undefined);
  if (keyed.length === 0) return new Map();
  const rows = await rowsOf(
    tx.em,
    sql<{
      taskId: string;
      attempt: number;
      sessionId: string;
      endKey: EndKey;
    }>`select n.task_id, n.number as attempt, n.session_id, n.end_key
        from attempts n join tasks t on t.id = n.task_id and t.project_id = ${tx.projectId}
        where n.end_key is not null and (n.task_id, n.number) in (
          select x."taskId", x.attempt from jsonb_to_recordset(${JSON.stringify(keyed.map(({ taskId, attempt }) => ({ taskId, attempt })))}::jsonb) as x("taskId" uuid, attempt int))`,
  );
  const used = new Map(rows.map(({ endKey, ...attempt }) => [nameOf(attempt), endKey]));
  return new Map(
    keyed.flatMap((call) => {
      const [given, kept] = [call.endKey, used.get(nameOf(call))];
      if (given === undefined || kept?.key !== given.key) return [];
      if (kept.method === given.method && kept.paramsHash === given.paramsHash) return [];
      const { key: idempotencyKey, method } = given;
      return [[call, new CoordinatorError('idempotency_conflict', { idempotencyKey, method, usedWith: kept.method })] as const];
    }),
  );
}

const nameOf = ({ taskId, attempt, sessionId }: KeyedEnd): string => `${taskId} ${attempt} ${sessionId}`;
