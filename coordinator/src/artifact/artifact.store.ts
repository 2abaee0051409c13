import { type Artifact, type ArtifactWithContent, CoordinatorError, type JsonValue } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { ArtifactEntity, type ArtifactRow } from './artifact.entity.ts';

export const toArtifact = (row: Omit<ArtifactRow, 'content'>): Artifact => ({
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
  createdAt: row.createdAt.toISOString(),
  ...(typeof row.uri === 'string' && { uri: row.uri }),
  ...(typeof row.taskId === 'string' && { taskId: row.taskId }),
  ...(typeof row.attempt === 'number' && { attempt: row.attempt }),
});

const toArtifactWithContent = (row: StoredArtifact, content: JsonValue | null | undefined): ArtifactWithContent => ({
  ...toArtifact(row),
  ...(typeof row.uri !== 'string' && { content: content ?? null }),
});

export interface ArtifactName {
  readonly visitId: string;
  readonly type: string;
  readonly name: string;
}

/** A row without its content. */
export type StoredArtifact = Omit<ArtifactRow, 'content'>;

type StoredRow = Omit<StoredArtifact, 'createdAt' | 'sizeBytes'> & { createdAt: string; sizeBytes: string | number };

const storedColumns = sql`a.id, a.project_id, a.ticket_id, a.visit_id, a.phase, a.visit_number, a.type, a.name, a.version, a.media_type, a.sha256,
  a.size_bytes, a.uri, a.task_id, a.attempt, a.author, a.created_at`;

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
          content, uri, task_id, attempt, author, created_at)
        select x.id, x."projectId", x."ticketId", x."visitId", x.phase, x."visitNumber", x.type, x.name, x.version, x."mediaType", x.sha256, x."sizeBytes",
          x.content, x.uri, x."taskId", x.attempt, x.author, statement_timestamp()
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(id uuid, "projectId" uuid, "ticketId" uuid, "visitId" uuid, phase text, "visitNumber" int,
          type text, name text, version int, "mediaType" text, sha256 text, "sizeBytes" bigint, content jsonb, uri text, "taskId" uuid, attempt int, author text)
        returning created_at`,
  );
  return inserted && new Date(inserted.createdAt);
}

export async function getArtifact(em: EntityManager, projectId: string, id: string): Promise<ArtifactWithContent> {
  const row = await em.findOne(ArtifactEntity, { id, projectId }, { populate: ['content'] });
  if (row === null) throw new CoordinatorError('artifact_not_found', { artifactId: id });
  return toArtifactWithContent(row, row.content);
}

/** The newest version of each type and name in a visit: what a gate judges. In the order of type and name. */
export async function listCurrentArtifacts(em: EntityManager, visitId: string): Promise<StoredArtifact[]> {
  const rows = await rowsOf(
    em,
    sql<StoredRow>`select distinct on (type, name) ${storedColumns} from artifacts a where visit_id = ${visitId} order by type, name, version desc`,
  );
  return rows.map(toStoredArtifact);
}

export async function readContents(em: EntityManager, artifacts: readonly StoredArtifact[]): Promise<ArtifactWithContent[]> {
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
      content: JsonValue | null;
    }>`select id, content from artifacts where id = any(${artifacts.map(({ id }) => id)}::uuid[])`,
  );
  const contents = new Map(rows.map(({ id, content }) => [id, content]));
  return artifacts.map((artifact) => toArtifactWithContent(artifact, contents.get(artifact.id)));
}

/** The versions in a ticket that have one of these digests, oldest first. */
export async function listArtifactsByDigest(em: EntityManager, ticketId: string, digests: readonly string[]): Promise<Artifact[]> {
  if (digests.length === 0) return [];
  return (await em.find(ArtifactEntity, { ticketId, sha256: [...digests] }, { orderBy: { id: 'asc' } })).map(toArtifact);
}

export interface ArtifactQuery {
  readonly ticketId: string;
  readonly type?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export async function listArtifacts(
  em: EntityManager,
  { ticketId, type, after, limit }: ArtifactQuery,
): Promise<{ artifacts: Artifact[]; next?: string }> {
  const rows = await em.find(
    ArtifactEntity,
    { ticketId, ...(type !== undefined && { type }), ...(after !== undefined && { id: { $gt: after } }) },
    { orderBy: { id: 'asc' }, limit: limit + 1 },
  );
  const page = rows.slice(0, limit).map(toArtifact);
  const last = page.at(-1);
  return { artifacts: page, ...(rows.length > limit && last !== undefined && { next: last.id }) };
}
