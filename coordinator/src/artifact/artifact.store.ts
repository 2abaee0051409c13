import { type Artifact, type ArtifactWithContent, CoordinatorError, type JsonValue, type JudgedArtifact } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';

/** A row without its content. Append-only: storing a type and name again makes the next version. */
export interface StoredArtifact {
  readonly id: string;
  readonly projectId: string;
  readonly ticketId: string;
  readonly visitId: string;
  readonly visitNumber: number;
  readonly phase: string;
  readonly type: string;
  readonly name: string;
  readonly version: number;
  readonly mediaType: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly uri: string | null;
  readonly taskId: string | null;
  readonly attempt: number | null;
  readonly author: string;
  readonly tokenId: string;
  /** The token's name. */
  readonly token: string;
  readonly createdAt: Date;
}

export const toArtifact = (row: Omit<StoredArtifact, 'projectId' | 'visitId' | 'tokenId'>): Artifact => ({
  id: row.id,
  ticketId: row.ticketId,
  phase: row.phase,
  visit: row.visitNumber,
  type: row.type,
  name: row.name,
  version: row.version,
  mediaType: row.mediaType,
  sha256: row.sha256,
  sizeBytes: row.sizeBytes,
  author: row.author,
  token: row.token,
  createdAt: row.createdAt.toISOString(),
  ...(row.uri !== null && { uri: row.uri }),
  ...(row.taskId !== null && { taskId: row.taskId }),
  ...(row.attempt !== null && { attempt: row.attempt }),
});

const toArtifactWithContent = (row: Parameters<typeof toArtifact>[0], content: JsonValue | null | undefined): ArtifactWithContent => ({
  ...toArtifact(row),
  ...(row.uri === null && { content: content ?? null }),
});

export interface ArtifactName {
  readonly visitId: string;
  readonly type: string;
  readonly name: string;
}

type StoredRow = Omit<StoredArtifact, 'createdAt' | 'sizeBytes'> & { createdAt: string; sizeBytes: string | number };

const storedColumns = sql`a.id, a.project_id, a.ticket_id, a.visit_id, a.phase, a.visit_number, a.type, a.name, a.version, a.media_type, a.sha256,
  a.size_bytes, a.uri, a.task_id, a.attempt, a.author, a.token_id, (select k.name from tokens k where k.id = a.token_id) as token, a.created_at`;

const toStoredArtifact = (row: StoredRow): StoredArtifact => ({
  ...row,
  sizeBytes: Number(row.sizeBytes),
  createdAt: new Date(row.createdAt),
});

/** The newest versions of artifacts, by `[visitId, type, name]` as JSON. */
export async function listNewestVersions(em: EntityManager, names: readonly ArtifactName[]): Promise<Map<string, StoredArtifact>> {
  const rows = await rowsOf(
    em,
    sql<StoredRow>`
        select distinct on (a.visit_id, a.type, a.name) ${storedColumns}
        from artifacts a join jsonb_to_recordset(${JSON.stringify(names)}::jsonb) as x("visitId" uuid, type text, name text)
          on a.visit_id = x."visitId" and a.type = x.type and a.name = x.name
        order by a.visit_id, a.type, a.name, a.version desc`,
  );
  return new Map(rows.map((row) => [JSON.stringify([row.visitId, row.type, row.name]), toStoredArtifact(row)]));
}

/** Inserts new versions in one statement. Returns when, by the database's clock; nothing where there was nothing to insert. */
export async function insertArtifacts(
  em: EntityManager,
  artifacts: readonly { readonly row: StoredArtifact; readonly content: JsonValue | undefined }[],
): Promise<Date | undefined> {
  if (artifacts.length === 0) return undefined;
  const rows = artifacts.map(({ row, content }) => ({ ...row, content: content ?? null }));
  const [inserted] = await rowsOf(
    em,
    sql<{
      createdAt: string;
    }>`insert into artifacts (id, project_id, ticket_id, visit_id, phase, visit_number, type, name, version, media_type, sha256, size_bytes,
          content, uri, task_id, attempt, author, token_id, created_at)
        select x.id, x."projectId", x."ticketId", x."visitId", x.phase, x."visitNumber", x.type, x.name, x.version, x."mediaType", x.sha256, x."sizeBytes",
          x.content, x.uri, x."taskId", x.attempt, x.author, x."tokenId", statement_timestamp()
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(id uuid, "projectId" uuid, "ticketId" uuid, "visitId" uuid, phase text, "visitNumber" int,
          type text, name text, version int, "mediaType" text, sha256 text, "sizeBytes" bigint, content jsonb, uri text, "taskId" uuid, attempt int, author text, "tokenId" text)
        returning created_at`,
  );
  return inserted && new Date(inserted.createdAt);
}

export async function getArtifact(em: EntityManager, projectId: string, id: string): Promise<ArtifactWithContent> {
  const row = await findRow(
    em,
    sql<
      StoredRow & { content: JsonValue | null }
    >`select ${storedColumns}, a.content from artifacts a where a.id = ${id} and a.project_id = ${projectId}`,
  );
  if (row === undefined) throw new CoordinatorError('artifact_not_found', { artifactId: id });
  const { content, ...stored } = row;
  return toArtifactWithContent(toStoredArtifact(stored), content);
}

/** The newest version of each type and name in a visit: what a gate judges. In the order of type and name. */
export async function listCurrentArtifacts(em: EntityManager, visitId: string): Promise<StoredArtifact[]> {
  const rows = await rowsOf(
    em,
    sql<StoredRow>`select distinct on (type, name) ${storedColumns} from artifacts a where visit_id = ${visitId} order by type, name, version desc`,
  );
  return rows.map(toStoredArtifact);
}

/** Of each token whose artifact in a visit another token has replaced, the newest version: what it said last, and nobody judges. */
export async function listReplacedArtifacts(em: EntityManager, visitId: string): Promise<Artifact[]> {
  const rows = await rowsOf(
    em,
    sql<StoredRow>`with current as (
          select distinct on (c.type, c.name) c.type, c.name, c.version, l.name as token from artifacts c join tokens l on l.id = c.token_id
          where c.visit_id = ${visitId} order by c.type, c.name, c.version desc)
        select distinct on (a.type, a.name, k.name) ${storedColumns}
        from current c join artifacts a on a.visit_id = ${visitId} and a.type = c.type and a.name = c.name and a.version < c.version
          join tokens k on k.id = a.token_id
        where k.name <> c.token order by a.type, a.name, k.name, a.version desc`,
  );
  return rows.map((row) => toArtifact(toStoredArtifact(row)));
}

type ContentRow = Pick<StoredArtifact, 'mediaType' | 'sizeBytes' | 'uri' | 'taskId' | 'attempt' | 'author' | 'token'> & {
  readonly createdAt: string;
  readonly content: JsonValue | null;
};

/** Versions in the visit that a ticket is in, with their content, in the order given. */
export async function readContents(
  em: EntityManager,
  { id: ticketId, phase, visitNumber }: Pick<TicketRow, 'id' | 'phase' | 'visitNumber'>,
  versions: readonly JudgedArtifact[],
): Promise<ArtifactWithContent[]> {
  const ids = versions.map(({ artifactId }) => artifactId);
  const rows = await rowsOf(
    em,
    // Rows, and nothing that is known: a gate has a thousand of them read, each column costs, and one JSON text of them all takes twice as long.
    sql<ContentRow>`select a.media_type, a.size_bytes::float8, a.uri, a.task_id, a.attempt, a.author, k.name as token, a.created_at, a.content
        from unnest(${ids}::uuid[]) with ordinality as j(id, place) join artifacts a on a.id = j.id join tokens k on k.id = a.token_id order by j.place`,
  );
  return versions.map(({ artifactId: id, ...version }, index) => {
    const row = rows[index];
    if (row === undefined) throw new Error('A version that was stored is there for good.');
    const { content, createdAt, ...rest } = row;
    return toArtifactWithContent({ id, ticketId, phase, visitNumber, ...version, ...rest, createdAt: new Date(createdAt) }, content);
  });
}

/** The versions in a ticket that have one of these digests, oldest first. */
export async function listArtifactsByDigest(em: EntityManager, ticketId: string, digests: readonly string[]): Promise<Artifact[]> {
  if (digests.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<StoredRow>`select ${storedColumns} from artifacts a where a.ticket_id = ${ticketId} and a.sha256 = any(${digests}::text[]) order by a.id`,
  );
  return rows.map((row) => toArtifact(toStoredArtifact(row)));
}

export interface ArtifactQuery {
  readonly ticketId: string;
  /** Only the newest versions of this visit. */
  readonly newestOf?: string | undefined;
  readonly type?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export async function listArtifacts(
  em: EntityManager,
  { ticketId, newestOf, type, after, limit }: ArtifactQuery,
): Promise<{ artifacts: Artifact[]; next?: string }> {
  const conditions = [sql`a.ticket_id = ${ticketId}`];
  if (newestOf !== undefined)
    conditions.push(sql`a.visit_id = ${newestOf} and not exists (
      select 1 from artifacts n where n.visit_id = a.visit_id and n.type = a.type and n.name = a.name and n.version > a.version)`);
  if (type !== undefined) conditions.push(sql`a.type = ${type}`);
  if (after !== undefined) conditions.push(sql`a.id > ${after}`);
  const rows = await rowsOf(
    em,
    sql<StoredRow>`select ${storedColumns} from artifacts a where ${sql.join(conditions, sql` and `)} order by a.id limit ${limit + 1}`,
  );
  const page = rows.slice(0, limit).map((row) => toArtifact(toStoredArtifact(row)));
  const last = page.at(-1);
  return { artifacts: page, ...(rows.length > limit && last !== undefined && { next: last.id }) };
}
