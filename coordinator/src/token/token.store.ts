import type { Role, Token } from '@baton/protocol';
import { sql } from 'kysely';
import type { Caller } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';

export interface KnownToken {
  readonly caller: Caller;
  readonly secretHash: string;
}

interface CallerRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly secretHash: string;
  readonly projectId: string;
  readonly projectName: string;
}

const isAccepted = sql`t.revoked_at is null and (t.expires_at is null or t.expires_at > clock_timestamp())`;

/** The tokens with these ids, in their order; undefined for one that is not there, has expired or been revoked. */
export async function findTokens(em: EntityManager, ids: readonly string[]): Promise<(KnownToken | undefined)[]> {
  const rows = await rowsOf(
    em,
    sql<CallerRow>`select t.id, t.name, t.role, t.secret_hash, p.id as project_id, p.name as project_name
        from tokens t join projects p on p.id = t.project_id where t.id = any(${[...new Set(ids)]}::text[]) and ${isAccepted}`,
  );
  const known = new Map(
    rows.map(({ id, secretHash, ...caller }): [string, KnownToken] => [id, { secretHash, caller: { tokenId: id, ...caller } }]),
  );
  return ids.map((id) => known.get(id));
}

/** Those of the tokens that are still accepted. */
export const listAcceptedIds = async (em: EntityManager, ids: readonly string[]): Promise<string[]> =>
  (await rowsOf(em, sql<{ id: string }>`select t.id from tokens t where t.id = any(${ids}::text[]) and ${isAccepted}`)).map(({ id }) => id);

export interface NewToken {
  readonly id: string;
  readonly secretHash: string;
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  /** Without it the token does not expire. */
  readonly expiresInMs?: number | undefined;
}

export const insertToken = (em: EntityManager, { id, projectId, name, role, secretHash, expiresInMs }: NewToken): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`insert into tokens (id, project_id, name, role, secret_hash, expires_at)
        values (${id}, ${projectId}, ${name}, ${role}, ${secretHash}, clock_timestamp() + ${expiresInMs ?? null}::float8 * interval '1 millisecond')`,
  );

interface TokenRow extends Omit<Token, 'expiresInMs'> {
  readonly expiresInMs: number | null;
}

const tokenColumns = sql`t.id, t.name, t.role, p.name as project, t.created_at,
  case when t.revoked_at is not null then 'revoked' when t.expires_at <= clock_timestamp() then 'expired' else 'active' end as state,
  (extract(epoch from t.expires_at - clock_timestamp()) * 1000)::float8 as expires_in_ms`;

const toToken = ({ id, name, role, project, state, createdAt, expiresInMs }: TokenRow): Token => ({
  id,
  name,
  role,
  project,
  state,
  createdAt: toTimestamp(createdAt),
  ...(state === 'active' && expiresInMs !== null && { expiresInMs: Math.max(0, Math.round(expiresInMs)) }),
});

/** Which token is meant: of one project, or of any where there is none named. */
export interface TokenKey {
  readonly id: string;
  readonly projectId: string | undefined;
}

const hasKey = ({ id, projectId }: TokenKey) =>
  projectId === undefined ? sql`t.id = ${id}` : sql`t.id = ${id} and t.project_id = ${projectId}`;

export async function findTokenByKey(em: EntityManager, key: TokenKey): Promise<Token | undefined> {
  const row = await findRow(
    em,
    sql<TokenRow>`select ${tokenColumns} from tokens t join projects p on p.id = t.project_id where ${hasKey(key)}`,
  );
  return row && toToken(row);
}

/** Answers whether the token was accepted until now. */
export const markRevoked = async (em: EntityManager, key: TokenKey): Promise<boolean> =>
  (await rowsOf(em, sql`update tokens t set revoked_at = clock_timestamp() where ${hasKey(key)} and t.revoked_at is null returning t.id`))
    .length > 0;

/** Gives a token another secret. Answers whether it could: one that is revoked stays as it is. */
export const replaceSecret = async (em: EntityManager, id: string, secretHash: string): Promise<boolean> =>
  (await rowsOf(em, sql`update tokens set secret_hash = ${secretHash} where id = ${id} and revoked_at is null returning id`)).length > 0;

export interface TokenQuery {
  readonly projectId: string;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of tokens in the order of their making, which is the order of their ids. */
export async function listTokens(em: EntityManager, { projectId, after, limit }: TokenQuery): Promise<{ tokens: Token[]; next?: string }> {
  const rows = await rowsOf(
    em,
    sql<TokenRow>`select ${tokenColumns} from tokens t join projects p on p.id = t.project_id
        where t.project_id = ${projectId} and t.id > ${after ?? ''} order by t.id limit ${limit + 1}`,
  );
  const page = rows.slice(0, limit).map(toToken);
  const last = page.at(-1);
  return { tokens: page, ...(rows.length > limit && last !== undefined && { next: last.id }) };
}
