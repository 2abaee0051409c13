import { type Artifact, type ArtifactWithContent, CoordinatorError, type NewArtifact, type Role } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { type ArtifactName, insertArtifacts, listNewestVersions, type StoredArtifact, toArtifact } from './artifact.store.ts';
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
  /** The role of the token that speaks; absent where the coordinator does. */
  readonly role?: Role | undefined;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

/** Where an artifact comes from, with the token that answers for it. */
export interface ArtifactOrigin extends Origin {
  readonly tokenId: string;
  /** The token's name. */
  readonly token: string;
}

export interface MeasuredArtifact {
  readonly artifact: NewArtifact;
  readonly sha256: string;
  /** Of the canonical form for inline content; as given for what lies elsewhere. */
  readonly sizeBytes: number;
}

/**
 * Digests and sizes, and that none is too large.
 * @throws CoordinatorError `limit_exceeded`
 */
export function measureArtifacts({ artifactBytesMax }: ArtifactLimits, artifacts: readonly NewArtifact[]): MeasuredArtifact[] {
  return artifacts.map((artifact) => {
    const { type, name, content, uri } = artifact;
    if (content === undefined) return { artifact, sha256: artifact.sha256 ?? '', sizeBytes: artifact.sizeBytes ?? 0 };
    const { sha256, sizeBytes } = digestOf(content);
    if (uri === undefined && sizeBytes > artifactBytesMax) {
      throw new CoordinatorError('limit_exceeded', {
        message: `The artifact ${type} "${name}" has ${sizeBytes} bytes; inline content may have ${artifactBytesMax}. Store it elsewhere and give uri, sha256 and sizeBytes.`,
      });
    }
    return { artifact, sha256, sizeBytes };
  });
}

/** What artifacts would be if they were stored now, with their content, for a question that stores nothing. */
export function assumeArtifacts(
  measured: readonly MeasuredArtifact[],
  {
    ticket,
    author,
    token,
  }: { readonly ticket: Pick<TicketRow, 'id' | 'phase' | 'visitNumber'>; readonly author: string; readonly token: string },
): ArtifactWithContent[] {
  return measured.map(({ artifact: { type, name, mediaType, content, uri }, sha256, sizeBytes }) => ({
    id: uuidv7(),
    ticketId: ticket.id,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    type,
    name,
    // It is nobody's version yet.
    version: 0,
    mediaType,
    sha256,
    sizeBytes,
    author,
    token,
    createdAt: new Date().toISOString(),
    ...(uri !== undefined && { uri }),
    ...(content !== undefined && { content }),
  }));
}

export interface ArtifactOf {
  readonly origin: ArtifactOrigin;
  readonly measured: MeasuredArtifact;
}

/**
 * Stores artifacts of many origins, each as the next version of its type and name in its visit; what the newest version is
 * already, in the same place and from the same task and token, makes no new one. The callers hold the rows of the visits.
 * @returns the versions that now hold what was given, in order
 */
export async function storeArtifacts(tx: Tx, artifacts: readonly ArtifactOf[]): Promise<Artifact[]> {
  if (artifacts.length === 0) return [];
  const newest = await listNewestVersions(tx.em, artifacts.map(nameOf));
  const placed = artifacts.map(({ origin, measured }) => {
    const key = keyOf(nameOf({ origin, measured }));
    const before = newest.get(key);
    if (before !== undefined && isSameWord(before, toWord({ origin, measured }))) return { row: before, isNew: false, content: undefined };
    const row = toRow(tx.projectId, origin, measured, (before?.version ?? 0) + 1);
    newest.set(key, row);
    return { row, isNew: true, content: measured.artifact.content };
  });
  const added = placed.filter(({ isNew }) => isNew);
  const createdAt = await insertArtifacts(tx.em, added);
  for (const { row } of added) {
    const { id: artifactId, ticketId, phase, type, name, version, sha256, author } = row;
    tx.record('artifact.stored', { artifactId, ticketId, phase, type, name, version, sha256, author });
  }
  return placed.map(({ row, isNew }) => toArtifact({ ...row, createdAt: (isNew ? createdAt : undefined) ?? row.createdAt }));
}

/** What is said, where it lies, and who says it about which task. */
interface Word extends Pick<Artifact, 'sha256' | 'sizeBytes' | 'mediaType' | 'token'> {
  readonly uri?: string | null | undefined;
  readonly taskId?: string | null | undefined;
}

/** Whether that has been said before, so that it makes no new version. */
// The same content somewhere else, or as something else, is news to whoever is going to read it. So is the same word of somebody
// else, which is another voice, and of another task, which is about what has been done since.
export const isSameWord = (before: Word, { sha256, sizeBytes, mediaType, token, uri, taskId }: Word): boolean =>
  before.sha256 === sha256 &&
  before.sizeBytes === sizeBytes &&
  before.mediaType === mediaType &&
  (before.uri ?? undefined) === uri &&
  before.token === token &&
  (taskId === undefined || before.taskId === taskId);

const toWord = ({ origin: { token, taskId }, measured: { sha256, sizeBytes, artifact } }: ArtifactOf): Word => ({
  sha256,
  sizeBytes,
  mediaType: artifact.mediaType,
  token,
  uri: artifact.uri,
  taskId,
});

const nameOf = ({ origin, measured }: ArtifactOf): ArtifactName => ({
  visitId: origin.visitId,
  type: measured.artifact.type,
  name: measured.artifact.name,
});
const keyOf = ({ visitId, type, name }: ArtifactName) => JSON.stringify([visitId, type, name]);

function toRow(
  projectId: string,
  origin: ArtifactOrigin,
  { artifact, sha256, sizeBytes }: MeasuredArtifact,
  version: number,
): StoredArtifact {
  const { ticketId, visitId, visitNumber, phase, author, tokenId, token, taskId, attempt } = origin;
  const { type, name, mediaType, uri } = artifact;
  return {
    id: uuidv7(),
    projectId,
    ticketId,
    visitId,
    visitNumber,
    phase,
    type,
    name,
    version,
    mediaType,
    sha256,
    sizeBytes,
    author,
    tokenId,
    token,
    uri: uri ?? null,
    taskId: taskId ?? null,
    attempt: attempt ?? null,
    createdAt: new Date(),
  };
}
