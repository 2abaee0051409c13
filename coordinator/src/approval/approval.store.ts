import { type Approval, type ApprovalDecision, type ApprovalRule, CoordinatorError, type Role } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { firstIds, hasMore, listed, pageOf } from '../db/page.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';

interface ApprovalRow {
  readonly id: string;
  readonly ticketId: string;
  readonly phase: string;
  readonly visitNumber: number;
  readonly rule: ApprovalRule;
  readonly digest: string;
  readonly state: Approval['state'];
  readonly ageMs: number;
  readonly expiresInMs: number | null;
  readonly createdAt: string;
  readonly decisions: readonly DecisionRow[];
  readonly refusedBefore: readonly DecisionRow[];
}

interface DecisionRow {
  readonly by: string;
  readonly agent: string | null;
  readonly role: Role;
  readonly decision: ApprovalDecision['decision'];
  readonly comment: string | null;
  readonly at: string;
}

/** The decisions of some approvals, as a list, in the order in which they were made. */
const decisionsWhere = (condition: RawBuilder<unknown>) => sql`coalesce((select jsonb_agg(jsonb_build_object('by', d.decided_by,
      'agent', d.agent_name, 'role', d.role, 'decision', d.decision, 'comment', d.comment, 'at', d.decided_at) order by d.decided_at, d.decided_by)
    from approval_decisions d where ${condition}), '[]')`;

/** The same that was asked in the same visit, about whatever evidence: what was refused may have been changed and changed back. */
const isAskedLike = sql`other.visit_id = a.visit_id and other.name = a.name`;

const approvalColumns = sql`a.id, a.ticket_id, a.phase, a.visit_number, a.rule, a.digest, a.created_at,
  case when a.state = 'waiting' and a.expires_at <= clock_timestamp() then 'expired' else a.state end as state,
  (extract(epoch from clock_timestamp() - a.created_at) * 1000)::float8 as age_ms,
  case when a.state = 'waiting' then (extract(epoch from a.expires_at - clock_timestamp()) * 1000)::float8 end as expires_in_ms,
  ${decisionsWhere(sql`d.approval_id = a.id`)} as decisions,
  ${decisionsWhere(sql`d.decision = 'refuse' and d.approval_id in
    (select other.id from approvals other where ${isAskedLike} and other.created_at < a.created_at)`)} as refused_before`;

const toApproval = ({ visitNumber, expiresInMs, createdAt, decisions, refusedBefore, ...row }: ApprovalRow): Approval => ({
  ...row,
  visit: visitNumber,
  createdAt: toTimestamp(createdAt),
  decisions: decisions.map(toDecision),
  ...(expiresInMs !== null && expiresInMs > 0 && { expiresInMs }),
  ...(refusedBefore.length > 0 && { refusedBefore: refusedBefore.map(toDecision) }),
});

const toDecision = ({ comment, at, agent, ...decision }: DecisionRow): ApprovalDecision => ({
  ...decision,
  at: toTimestamp(at),
  ...(comment !== null && { comment }),
  ...(agent !== null && { agent }),
});

export interface ApprovalQuery {
  readonly projectId: string;
  readonly ticketId?: string | undefined;
  readonly states: readonly Approval['state'][];
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of approvals, in the order in which they were asked for. */
export async function listApprovals(
  em: EntityManager,
  { projectId, ticketId, states, after, limit }: ApprovalQuery,
): Promise<{ approvals: Approval[]; next?: string }> {
  const conditions = [sql`a.project_id = ${projectId}`];
  // What has just expired is still stored as waiting: first by what an index knows, then by what the clock says.
  const stored = states.flatMap((state) => (state === 'expired' ? ['waiting', 'expired'] : [state]));
  if (!states.includes('expired')) conditions.push(sql`(a.state <> 'waiting' or a.expires_at is null or a.expires_at > clock_timestamp())`);
  if (!states.includes('waiting')) conditions.push(sql`(a.state <> 'waiting' or a.expires_at <= clock_timestamp())`);
  if (ticketId !== undefined) conditions.push(sql`a.ticket_id = ${ticketId}`);
  if (after !== undefined) conditions.push(sql`a.id > ${after}`);
  const oneOf = [{ column: sql`a.state`, values: listed(stored) }];
  const ids = firstIds({ table: sql`approvals a`, conditions, oneOf, order: 'asc', limit });
  const ordered = sql`select a.id, row_number() over (order by a.id) as place, octet_length(a.rule::text)
        + (select coalesce(sum(octet_length(d.comment)), 0) from approvals other join approval_decisions d on d.approval_id = other.id
            where ${isAskedLike}) as bytes
      from approvals a where a.id = any(array(${ids})) order by a.id`;
  const rows = await rowsOf(
    em,
    sql<ApprovalRow & { found: number }>`with page as (${pageOf(ordered, limit)}) select ${approvalColumns}, p.found
      from page p join approvals a on a.id = p.id order by p.place`,
  );
  const approvals = rows.map(({ found: _, ...row }) => toApproval(row));
  const last = approvals.at(-1);
  return { approvals, ...(hasMore(rows) && last !== undefined && { next: last.id }) };
}

/** The newest approval of each name that was asked for in a visit, with that digest. */
export async function listApprovalsOf(em: EntityManager, visitId: string, digest: string): Promise<Approval[]> {
  const rows = await rowsOf(
    em,
    sql<ApprovalRow>`select distinct on (a.name) ${approvalColumns} from approvals a
        where a.visit_id = ${visitId} and a.digest = ${digest} and a.state <> 'cancelled' order by a.name, a.created_at desc, a.id desc`,
  );
  return rows.map(toApproval);
}

export async function getApproval(em: EntityManager, projectId: string, approvalId: string): Promise<Approval> {
  const row = await findRow(
    em,
    sql<ApprovalRow>`select ${approvalColumns} from approvals a where a.id = ${approvalId} and a.project_id = ${projectId}`,
  );
  if (row === undefined) throw new CoordinatorError('approval_not_found', { approvalId });
  return toApproval(row);
}

/** Locks the approvals of a visit, so that two decisions take turns. */
export const lockApprovals = (em: EntityManager, visitId: string): Promise<unknown[]> =>
  rowsOf(em, sql`select 1 from approvals where visit_id = ${visitId} order by id for update`);

export interface NewApproval {
  readonly id: string;
  readonly projectId: string;
  readonly ticketId: string;
  readonly visitId: string;
  readonly phase: string;
  readonly visitNumber: number;
  readonly rule: ApprovalRule;
  readonly digest: string;
}

export const insertApprovals = (em: EntityManager, approvals: readonly NewApproval[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`insert into approvals (id, project_id, ticket_id, visit_id, phase, visit_number, name, rule, digest, state, expires_at)
        select x.id, x."projectId", x."ticketId", x."visitId", x.phase, x."visitNumber", x.rule->>'name', x.rule, x.digest, 'waiting',
          clock_timestamp() + (x.rule->>'expiresInMs')::float8 * interval '1 millisecond'
        from jsonb_to_recordset(${JSON.stringify(approvals)}::jsonb) as x(id uuid, "projectId" uuid, "ticketId" uuid, "visitId" uuid, phase text, "visitNumber" int,
          rule jsonb, digest text)`,
  );

export interface EndedApproval {
  readonly id: string;
  readonly name: string;
}

/**
 * Ends what waits in a visit: with a digest only what was asked for about other evidence, or has expired. Returns what was
 * cancelled; what had expired stays expired.
 */
export const endApprovals = async (em: EntityManager, visitId: string, exceptDigest?: string): Promise<EndedApproval[]> => {
  const isMeant = exceptDigest === undefined ? sql`true` : sql`(digest <> ${exceptDigest} or expires_at <= clock_timestamp())`;
  const ended = await rowsOf(
    em,
    sql<EndedApproval & { state: string }>`update approvals
        set state = case when expires_at <= clock_timestamp() then 'expired' else 'cancelled' end
        where visit_id = ${visitId} and state = 'waiting' and ${isMeant} returning id, name, state`,
  );
  return ended.filter(({ state }) => state === 'cancelled');
};

export const setApprovalState = (em: EntityManager, approvalId: string, state: 'approved' | 'refused'): Promise<unknown[]> =>
  rowsOf(em, sql`update approvals set state = ${state} where id = ${approvalId}`);

export interface NewDecision {
  readonly approvalId: string;
  /** The token's name. */
  readonly by: string;
  readonly tokenId: string;
  readonly agent: string | undefined;
  readonly role: Role;
  readonly decision: ApprovalDecision['decision'];
  readonly comment: string | undefined;
}

export const insertDecision = (
  em: EntityManager,
  { approvalId, by, tokenId, agent, role, decision, comment }: NewDecision,
): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`insert into approval_decisions (approval_id, decided_by, token_id, agent_name, role, decision, comment)
        values (${approvalId}, ${by}, ${tokenId}, ${agent ?? null}, ${role}, ${decision}, ${comment ?? null})`,
  );

/** Which of these names no token has with which somebody could decide. */
export async function listStrangers(em: EntityManager, projectId: string, names: readonly string[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const rows = await rowsOf(
    em,
    sql<{ name: string }>`select named.name from unnest(${names}::text[]) as named (name) where not exists (
          select 1 from tokens k where k.project_id = ${projectId} and k.name = named.name and k.revoked_at is null
            and (k.expires_at is null or k.expires_at > clock_timestamp()))`,
  );
  return new Set(rows.map(({ name }) => name));
}

/**
 * Whose work a gate judges, by the names of the tokens: those that stored a version of the ticket's artifacts, and those whose
 * sessions completed its tasks, in every visit. The newest token of a name tells the role, whether it made any of it or not.
 */
export async function listAuthors(em: EntityManager, ticketId: string): Promise<Map<string, Role>> {
  const rows = await rowsOf(
    em,
    sql<{ name: string; role: Role }>`select distinct on (named.name) named.name, named.role
          from tokens used join tokens named on named.project_id = used.project_id and named.name = used.name
          where used.id in (
            select token_id from artifacts where ticket_id = ${ticketId}
            union select s.token_id from tasks t join attempts n on n.task_id = t.id and n.outcome = 'completed'
              join sessions s on s.id = n.session_id where t.ticket_id = ${ticketId})
          order by named.name, named.created_at desc, named.id desc`,
  );
  return new Map(rows.map(({ name, role }) => [name, role]));
}
