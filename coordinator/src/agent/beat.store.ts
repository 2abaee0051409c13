import type { RevocationReason } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

export interface AttemptId {
  readonly taskId: string;
  readonly attempt: number;
}

/** What a session says that it has in hand. */
export interface Report {
  readonly sessionId: string;
  readonly projectId: string;
  /** All that it has in hand; undefined where it does not say. */
  readonly attempts: readonly AttemptId[] | undefined;
  /** How long ago it said so. */
  readonly agoMs: number;
}

/** What is not as a session believes, by the place of its report among those compared. */
export type Finding =
  /** The session has ended. */
  | { readonly index: number; readonly kind: 'ended' }
  /** It has reported an attempt that it does not hold. */
  | ({ readonly index: number; readonly kind: 'revoked'; readonly reason: RevocationReason } & AttemptId)
  /** It holds an attempt that it should have known when it reported, and has not named. */
  | ({ readonly index: number; readonly kind: 'missed' } & AttemptId);

/**
 * Compares what many sessions report with what they hold, in one statement. What is revoked comes in the order in which it was
 * reported. An attempt that had been held for no longer than
 * `graceMs` at the time of the report is not missed: the answer that brings it may have been under way.
 */
export function compareReports(em: EntityManager, reports: readonly Report[], graceMs: number): Promise<Finding[]> {
  const sessions = reports.map(({ sessionId, projectId, attempts, agoMs }, index) => ({
    index,
    sessionId,
    projectId,
    agoMs,
    isComparing: attempts !== undefined,
  }));
  // Flat, and not nested in their reports: the planner takes each list for a hundred rows, and a list in each for ten thousand.
  const named = reports.flatMap(({ attempts = [] }, index) =>
    attempts.map(({ taskId, attempt }, place) => ({ index, place, taskId, attempt })),
  );
  return rowsOf(
    em,
    sql<Finding>`with report as (
        select r.index, r."sessionId" as session_id, r."projectId" as project_id, r."agoMs" as ago_ms, r."isComparing" as is_comparing, s.id is not null as is_living
          from jsonb_to_recordset(${JSON.stringify(sessions)}::jsonb)
              as r(index int, "sessionId" uuid, "projectId" uuid, "agoMs" float8, "isComparing" boolean)
            left join sessions s on s.id = r."sessionId" and s.ended_at is null
      ), named as (
        select report.index, a.place, report.session_id, report.project_id, a."taskId" as task_id, a.attempt
          from jsonb_to_recordset(${JSON.stringify(named)}::jsonb) as a(index int, place int, "taskId" uuid, attempt int) join report on report.index = a.index and report.is_living
      )
      select index, 'ended' as kind, null::uuid as task_id, null::int as attempt, null as reason, null::int as place from report where not is_living
      union all
      select named.index, 'revoked', named.task_id, named.attempt,
          case n.outcome when 'timed_out' then 'timed_out' when 'cancelled' then case when v.left_at is null then 'cancelled' else 'phase_closed' end else 'lease_lost' end, named.place
        from named left join tasks t on t.id = named.task_id and t.project_id = named.project_id
          left join attempts n on n.task_id = t.id and n.number = named.attempt left join phase_visits v on v.id = t.visit_id
        where not coalesce(t.state = 'running' and t.attempt = named.attempt and t.session_id = named.session_id, false)
      union all
      select report.index, 'missed', t.id, t.attempt, null, null
        from report join tasks t on t.session_id = report.session_id and t.state = 'running'
        where report.is_living and report.is_comparing
          and t.started_at < clock_timestamp() - (report.ago_ms + ${graceMs}) * interval '1 millisecond'
          and not exists (select 1 from named where named.index = report.index and named.task_id = t.id and named.attempt = t.attempt)
      order by index, place, task_id`,
  );
}
