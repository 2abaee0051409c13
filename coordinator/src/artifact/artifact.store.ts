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

const toArtifactWithContent = (row: ArtifactRow, content: JsonValue | null | undefined): ArtifactWithContent => ({
  ...toArtifact(row),
  ...(typeof row.uri !== 'string' && { content: content ?? null }),
});

export interface ArtifactName {
  readonly visitId: string;
  readonly type: string;
  readonly name: string;
}

export const findNewestVersion = (em: EntityManager, artifact: ArtifactName): Promise<ArtifactRow | null> =>
  em.findOne(ArtifactEntity, { ...artifact }, { orderBy: { version: 'desc' } });

export async function getArtifact(em: EntityManager, projectId: string, id: string): Promise<ArtifactWithContent> {
  const row = await em.findOne(ArtifactEntity, { id, projectId }, { populate: ['content'] });
  if (row === null) throw new CoordinatorError('artifact_not_found', { artifactId: id });
  return toArtifactWithContent(row, row.content);
}

/** The newest version of each type and name in a visit: what a gate judges. In the order of type and name. */
export async function listCurrentArtifacts(em: EntityManager, visitId: string): Promise<ArtifactRow[]> {
  const ids = await rowsOf(
    em,
    sql<{ id: string }>`select distinct on (type, name) id from artifacts where visit_id = ${visitId} order by type, name, version desc`,
  );
  return em.find(ArtifactEntity, { id: ids.map(({ id }) => id) }, { orderBy: { type: 'asc', name: 'asc' } });
}

export async function readContents(em: EntityManager, artifacts: readonly ArtifactRow[]): Promise<ArtifactWithContent[]> {
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
