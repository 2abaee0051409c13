import type { JudgedArtifact, Task, TaskState } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow } from '../db/rows.ts';
import { locksOfAttempt } from '../task/attempt.store.ts';
import { taskBytes } from '../task/task.store.ts';

export interface JudgedTask {
  readonly id: string;
  readonly ref: string | null;
  readonly title: string;
  readonly state: TaskState;
  readonly error: Task['error'] | null;
}

/**
 * Digests of what there is in a visit. The database makes them, so that thousands of rows need not travel to be compared. An
 * artifact's id stands for its version: what was stored under it never changes.
 */
export interface VisitDigests {
  /** Of the newest versions of the artifacts. */
  readonly artifacts: string;
  /** Of the tasks that a gate looks at, and their states. */
  readonly tasks: string;
  /** Of all attempts at all tasks, and the locks that they held; null where they were not asked for. */
  readonly attempts: string | null;
}

interface DigestOptions {
  readonly withAttempts: boolean;
}

export const readVisitDigests = (em: EntityManager, visitId: string, options: DigestOptions): Promise<VisitDigests> =>
  getRow<VisitDigests>(em, sql`with ${evidenceOf(visitId)} select ${digestsOf(visitId, options)}`);

export interface VisitEvidence {
  readonly digests: VisitDigests;
  /** The newest versions, in the order of type and name. */
  readonly artifacts: readonly JudgedArtifact[];
  readonly tasks: readonly JudgedTask[];
}

/** What there is in a visit, with the digests of exactly that. */
export async function readVisitEvidence(em: EntityManager, visitId: string, options: DigestOptions): Promise<VisitEvidence> {
  const { current, judged, ...digests } = await getRow<VisitDigests & { current: JudgedArtifact[]; judged: JudgedTask[] }>(
    em,
    // One text for each list: rows of their own would each repeat the digests.
    sql`with ${evidenceOf(visitId)} select ${digestsOf(visitId, options)},
        (select coalesce(json_agg(x), '[]') from (select id as "artifactId", type, name, version, sha256 from current) x) as current,
        (select coalesce(json_agg(x), '[]') from (select id, ref, title, state, error from judged) x) as judged`,
  );
  return { digests, artifacts: current, tasks: judged };
}

/** What validators would be shown of a visit, in bytes of JSON; of the facts about tasks and attempts about that much. */
export interface VisitSize {
  readonly contentBytes: number;
  readonly factBytes: number;
}

/** What a task, or an attempt, takes beside its long texts: ids, times, and the names of the fields. */
const rowBytes = 600;

/** Measures the visit that a ticket is in, without reading it. */
export const measureVisit = (em: EntityManager, ticketId: string): Promise<VisitSize> =>
  getRow<VisitSize>(
    em,
    sql`with visit as (select visit_id as id from tickets where id = ${ticketId}),
      newest as (select distinct on (type, name) size_bytes, uri from artifacts where visit_id = (select id from visit) order by type, name, version desc),
      shown as (select t.id, octet_length(t.title) + ${taskBytes} as bytes from tasks t where t.visit_id = (select id from visit))
      select (select coalesce(sum(size_bytes) filter (where uri is null), 0)::float8 from newest) as "contentBytes",
        (select coalesce(sum(bytes + ${rowBytes}), 0)::float8 from shown)
        + (select coalesce(sum(octet_length((${locksOfAttempt})::text) + ${rowBytes}), 0)::float8 from shown t join attempts n on n.task_id = t.id) as "factBytes"`,
  );

/** The newest versions of the artifacts, and the tasks: a later task with the same reference has taken the place of an earlier. */
const evidenceOf = (visitId: string) => sql`
    current as materialized (
      select distinct on (type, name) id, type, name, version, sha256 from artifacts where visit_id = ${visitId} order by type, name, version desc),
    judged as materialized (
      select distinct on (coalesce(ref, id::text)) id, ref, title, state, error from tasks where visit_id = ${visitId} order by coalesce(ref, id::text), id desc)`;

const digestsOf = (visitId: string, { withAttempts }: DigestOptions) => {
  const attempts = sql`(select ${digestOfRows(sql`jsonb_build_array(t.id, t.state, n.number, n.outcome, ${locksOfAttempt})::text`, sql`t.id, n.number`)}
      from tasks t left join attempts n on n.task_id = t.id where t.visit_id = ${visitId})`;
  return sql`(select ${digestOfRows(sql`id::text`, sql`id`)} from current) as artifacts,
    (select ${digestOfRows(sql`id || ' ' || state`, sql`id`)} from judged) as tasks,
    ${withAttempts ? attempts : sql`null`} as attempts`;
};

const digestOfRows = (row: RawBuilder<unknown>, order: RawBuilder<unknown>) =>
  sql`encode(sha256(convert_to(coalesce(string_agg(${row}, ',' order by ${order}), ''), 'UTF8')), 'hex')`;

async function getRow<Row>(em: EntityManager, statement: RawBuilder<unknown>): Promise<Row> {
  const row = await findRow(em, statement as RawBuilder<Row>);
  if (row === undefined) throw new Error('A select without a table returns its row.');
  return row;
}
