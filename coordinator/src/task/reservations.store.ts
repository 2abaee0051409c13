import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';

/**
 * Gives to everybody what is kept for an agent that takes no work any more. Its session is held, so that nothing more is kept
 * for it meanwhile. With what the session runs, which its end concerns as well, all tasks are locked in one pass.
 */
export async function freeReservations(
  tx: Tx,
  { agentId, sessionId }: { readonly agentId: string; readonly sessionId?: string },
): Promise<void> {
  await rowsOf(
    tx.em,
    sql`select 1 from tasks t where t.id in (
          select r.id from tasks r where r.reserved_for = ${agentId} and r.state = 'ready'
          union all select s.id from tasks s where s.session_id = ${sessionId ?? null}::uuid and s.state = 'running'
        ) order by t.id for update`,
  );
  const freed = await rowsOf(
    tx.em,
    sql`update tasks set reserved_for = null, reserved_until = null where reserved_for = ${agentId} and state = 'ready' returning 1`,
  );
  if (freed.length > 0) tx.hints.tasks = true;
}
