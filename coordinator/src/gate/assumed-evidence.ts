import type { Artifact, ArtifactWithContent, NewArtifact } from '@baton/protocol';
import type { AttemptFacts } from '@baton/sdk/plugin';
import { type ArtifactLimits, assumeArtifacts, isSameWord, measureArtifacts } from '../artifact/artifact.service.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';

export interface AssumedArtifact {
  readonly artifact: NewArtifact;
  /** Whose newest attempt is to have made it. */
  readonly taskId?: string | undefined;
}

export interface Assuming {
  readonly ticket: TicketRow;
  readonly author: string;
  readonly token: string;
  readonly attempts: readonly AttemptFacts[];
  readonly limits: ArtifactLimits;
  /** The newest versions of the visit. */
  readonly current: readonly Artifact[];
}

/** What a visit would hold if evidence were stored in it now. */
export interface AssumedEvidence {
  /** The versions that would become the newest. */
  readonly assumed: readonly ArtifactWithContent[];
  /** The stored versions that would be the newest still. */
  readonly kept: readonly Artifact[];
  /** The stored versions that would be so no more. */
  readonly gone: readonly Artifact[];
}

/**
 * As if the artifacts were stored one after the other: of several of one type and name the last is the newest version, and what
 * is there already makes none.
 * @throws CoordinatorError `limit_exceeded` where one is too large
 */
export function assumeEvidence(given: readonly AssumedArtifact[], { current, ...assuming }: Assuming): AssumedEvidence {
  const newest = new Map(current.map((artifact) => [keyOf(artifact), artifact]));
  const artifacts = toArtifacts(given, assuming);
  for (const artifact of artifacts) {
    const before = newest.get(keyOf(artifact));
    if (before === undefined || !isSameWord(before, artifact)) newest.set(keyOf(artifact), artifact);
  }
  const isNewest = (artifact: Artifact) => newest.get(keyOf(artifact)) === artifact;
  return {
    assumed: artifacts.filter(isNewest),
    kept: current.filter(isNewest),
    gone: current.filter((artifact) => !isNewest(artifact)),
  };
}

function toArtifacts(
  given: readonly AssumedArtifact[],
  { ticket, author, token, attempts, limits }: Omit<Assuming, 'current'>,
): ArtifactWithContent[] {
  const measured = measureArtifacts(
    limits,
    given.map(({ artifact }) => artifact),
  );
  return assumeArtifacts(measured, { ticket, author, token }).map((artifact, index) => {
    const taskId = given[index]?.taskId;
    const attempt = attempts.findLast((each) => each.taskId === taskId)?.number;
    return { ...artifact, ...(taskId !== undefined && { taskId }), ...(attempt !== undefined && { attempt }) };
  });
}

/** Whose words would be replaced by those of another token, given whose are now. Whoever speaks again is not among them. */
export function findReplaced({ assumed, gone }: AssumedEvidence, replaced: readonly Artifact[]): Artifact[] {
  const speakers = new Map(assumed.map((artifact) => [keyOf(artifact), artifact.token]));
  return [...replaced, ...gone].filter((artifact) => speakers.get(keyOf(artifact)) !== artifact.token);
}

/** What the contents take, in bytes of JSON; what lies elsewhere takes nothing. */
export const measureContents = ({ kept, assumed }: AssumedEvidence): number =>
  [...kept, ...assumed].reduce((sum, { uri, sizeBytes }) => (uri === undefined ? sum + sizeBytes : sum), 0);

const keyOf = ({ type, name }: Artifact): string => JSON.stringify([type, name]);
