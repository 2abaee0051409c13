import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { TaskCounts } from '../metrics.ts';

/** Beyond so many open tasks the exact number tells nobody more, and a look at the figures must stay cheap. */
const countedMax = 100_000;

interface StateCount {
  readonly state: 'blocked' | 'ready' | 'running';
  readonly count: number;
  readonly claimable: number;
}

/** The open tasks of all projects by state, found by their partial index. Finished ones are never looked at. */
export async function countOpenTasks(em: EntityManager): Promise<TaskCounts> {
  const rows = await rowsOf(
    em,
    sql<StateCount>`select state, count(*)::int as count,
          (count(*) filter (where state = 'ready' and waiting_key is null and run_at <= statement_timestamp()))::int as claimable
        from (select state, waiting_key, run_at from tasks where state in ('blocked', 'ready', 'running') limit ${countedMax}) open
        group by state`,
  );
  const countOf = (state: StateCount['state']) => rows.find((row) => row.state === state)?.count ?? 0;
  return {
    blocked: countOf('blocked'),
    ready: countOf('ready'),
    running: countOf('running'),
    claimable: rows.reduce((sum, { claimable }) => sum + claimable, 0),
  };
}
