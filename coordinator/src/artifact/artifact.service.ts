import { type Artifact, CoordinatorError, type NewArtifact } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import { ArtifactEntity, type ArtifactRow } from './artifact.entity.ts';
import { findNewestVersion, toArtifact } from './artifact.store.ts';
import { digestOf } from './digest.ts';

export interface ArtifactLimits {
  readonly artifactBytesMax: number;
}

/** Where evidence comes from. The visit's row is locked by the caller. */
export interface Origin {
  readonly ticketId: string;
  readonly visitId: string;
  readonly visitNumber: number;
  readonly phase: string;
  readonly author: string;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

/**
 * Stores artifacts as the next versions of their types and names in the visit. The content that the newest version has makes
 * no new one. Sizes are checked before the first is stored.
 */
export async function storeArtifacts(
  tx: Tx,
  { artifactBytesMax }: ArtifactLimits,
  origin: Origin,
  artifacts: readonly NewArtifact[],
): Promise<Artifact[]> {
  const measured = artifacts.map((artifact) => ({ artifact, ...measure(artifact) }));
  const tooLarge = measured.find(({ artifact, sizeBytes }) => artifact.uri === undefined && sizeBytes > artifactBytesMax);
  if (tooLarge !== undefined) {
    const { artifact, sizeBytes } = tooLarge;
    throw new CoordinatorError('limit_exceeded', {
      message: `The artifact ${artifact.type} "${artifact.name}" has ${sizeBytes} bytes; inline content may have ${artifactBytesMax}. Store it elsewhere and give uri, sha256 and sizeBytes.`,
    });
  }
  const stored: Artifact[] = [];
  for (const each of measured) stored.push(toArtifact(await storeOne(tx, origin, each)));
  return stored;
}

const measure = ({ content, sha256, sizeBytes }: NewArtifact): { sha256: string; sizeBytes: number } =>
  content === undefined ? { sha256: sha256 ?? '', sizeBytes: sizeBytes ?? 0 } : digestOf(content);

async function storeOne(
  { em, projectId, record }: Tx,
  { ticketId, visitId, visitNumber, phase, author, taskId, attempt }: Origin,
  { artifact, sha256, sizeBytes }: { artifact: NewArtifact; sha256: string; sizeBytes: number },
): Promise<ArtifactRow> {
  const { type, name, mediaType, content, uri } = artifact;
  const newest = await findNewestVersion(em, { visitId, type, name });
  if (newest?.sha256 === sha256) return newest;

  const row = em.create(ArtifactEntity, {
    id: uuidv7(),
    projectId,
    ticketId,
    visitId,
    visitNumber,
    phase,
    type,
    name,
    mediaType,
    sha256,
    sizeBytes,
    author,
    version: (newest?.version ?? 0) + 1,
    content: content ?? null,
    uri: uri ?? null,
    taskId: taskId ?? null,
    attempt: attempt ?? null,
  });
  await em.flush();
  record('artifact.stored', { artifactId: row.id, ticketId, phase, type, name, version: row.version, sha256, author });
  return row;
}
