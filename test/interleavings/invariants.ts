import { expect } from 'vitest';
import type { World } from './world.ts';

/** What must never be, as statements that find it. Each is given the time at which the schedule was prepared. */
const wrongs = {
  'events have a gap': `select seq from (select seq, seq - lag(seq) over (order by seq) as step from events where at >= $1) e where step <> 1
    union all select last_seq from event_streams s where last_seq <> (select max(seq) from events e where e.project_id = s.project_id)`,
  'a blocked task waits for nothing, or a ready one for something': `select id from tasks
    where created_at >= $1 and (state = 'blocked') <> (pending_dependencies > 0) and state in ('blocked', 'ready', 'running', 'completed')`,
  'a counter is not the number of the dependencies that are not done': `select t.id from tasks t where t.created_at >= $1 and t.state in ('blocked', 'ready', 'running', 'completed')
    and t.pending_dependencies <> (select count(*) from task_dependencies d where d.task_id = t.id and not d.settled)`,
  'a dependency is done and not counted off': `select d.task_id from task_dependencies d join tasks t on t.id = d.task_id join tasks p on p.id = d.depends_on_id
    where t.created_at >= $1 and t.state = 'blocked' and p.state in ('completed', 'failed', 'cancelled', 'skipped') and not d.settled`,
  'a running task has no attempt that runs': `select t.id from tasks t where t.created_at >= $1 and t.state = 'running'
    and not exists (select 1 from attempts n where n.task_id = t.id and n.number = t.attempt and n.outcome is null)`,
  'an attempt runs beside its task': `select n.task_id from attempts n join tasks t on t.id = n.task_id
    where t.created_at >= $1 and n.outcome is null and (t.state <> 'running' or t.attempt <> n.number)`,
  'a completed task has no completed attempt, or another has one': `select t.id from tasks t where t.created_at >= $1
    and (select count(*) from attempts n where n.task_id = t.id and n.outcome = 'completed') <> case when t.state = 'completed' then 1 else 0 end`,
  'an end was not told once': `select t.id from tasks t where t.created_at >= $1 and t.state in ('completed', 'failed', 'cancelled', 'skipped')
    and (select count(*) from events e where e.at >= $1 and e.name = 'task.' || t.state and e.data->>'taskId' = t.id::text) <> 1`,
  'a claim was told that is no attempt, or not told': `select t.id from tasks t where t.created_at >= $1
    and (select count(*) from events e where e.at >= $1 and e.name = 'task.claimed' and e.data->>'taskId' = t.id::text) <> t.attempt`,
  'a session that has ended runs a task': `select t.id from tasks t join sessions s on s.id = t.session_id where t.created_at >= $1 and t.state = 'running' and s.ended_at is not null`,
  'a session that has ended holds a lock': `select g.key from lock_grants g join sessions s on s.id = g.session_id where g.granted_at >= $1 and s.ended_at is not null`,
  'a session that has ended waits for a lock': `select r.id from lock_requests r join sessions s on s.id = r.session_id where r.requested_at >= $1 and s.ended_at is not null and r.granted is null`,
  'an attempt that has ended holds a lock': `select g.key from lock_grants g join attempts n on n.task_id = g.task_id and n.number = g.attempt where g.granted_at >= $1 and n.outcome is not null`,
  'two hold what one may hold': `select g.key from lock_grants g join lock_grants o on o.project_id = g.project_id and o.key = g.key and o.id <> g.id
    where g.granted_at >= $1 and g.mode = 'exclusive' and coalesce(g.expires_at, 'infinity') > test_clock.clock_timestamp() and coalesce(o.expires_at, 'infinity') > test_clock.clock_timestamp()`,
  'a fence is newer than its key': `select g.key from lock_grants g join lock_keys k on k.project_id = g.project_id and k.key = g.key where g.granted_at >= $1 and g.fence > k.fence`,
} as const;

/** What holds after every schedule, whatever was done. */
export async function expectNothingWrong({ rows }: World, since: string): Promise<void> {
  const found = await rows<{ wrong: string }>(
    Object.entries(wrongs)
      .map(([name, statement]) => `select '${name}' as wrong from (${statement.replaceAll('$1', `'${since}'::timestamptz`)}) as w`)
      .join(' union '),
  );
  expect(found.map(({ wrong }) => wrong)).toEqual([]);
}
