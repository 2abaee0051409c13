import type { Priority } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { priorityBonus } from './submit.store.ts';

/** Gives the waiting tasks of a visit that have one priority another. Their age counts as before. */
export const reprioritise = (
  { em }: Pick<Tx, 'em'>,
  { visitId, before, after }: { readonly visitId: string; readonly before: Priority; readonly after: Priority },
): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update tasks t set priority = ${after}, rank = t.rank + ${priorityBonus[before]}::interval - ${priorityBonus[after]}::interval
        from (select id from tasks where visit_id = ${visitId} and state in ('blocked', 'ready') and priority = ${before} order by id for update) waiting
        where t.id = waiting.id`,
  );
