import type { Artifact, GrantedLock, JsonValue, NewArtifact, NewContextItem } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { ItemOf } from './context.store.ts';
import { readListedItems } from './listed-items.ts';
import { factsOfArtifact, factsOfLeftOut, factsOfLocks, topicsOfArtifact } from './mechanical-facts.ts';
import type { Topic } from './standing.store.ts';
import { topicOf } from './topic.ts';

/** An artifact as it was given and as it was stored. */
export interface ReturnedArtifact {
  readonly given: NewArtifact;
  readonly stored: Artifact;
}

export interface Returned {
  readonly context: readonly NewContextItem[];
  readonly output?: JsonValue | undefined;
  readonly summary?: string | undefined;
  readonly artifacts: readonly ReturnedArtifact[];
  /** Of the task. */
  readonly title: string;
  /** All that the attempt held at some time. */
  readonly locks: readonly GrantedLock[];
}

/** How many facts nobody said one completion adds at most. */
const factsMax = 20;

export interface ReturnedItems {
  readonly items: readonly ItemOf[];
  /** What newer artifacts tell no more, or have no room to tell: what older ones told of it no longer holds. */
  readonly outdated: readonly Topic[];
}

/**
 * What a completed attempt leaves: its items, those that its output lists, its summary, an index of its artifacts, and what
 * follows from the evidence without believing it.
 */
export function itemsOfCompletion(origin: Origin, { context, output, summary, artifacts, title, locks }: Returned): ReturnedItems {
  const listed = readListedItems(output);
  const newest = [...new Map(artifacts.map((each) => [JSON.stringify([each.stored.type, each.stored.name]), each])).values()];
  // What the coordinator saw has its room before what it was told.
  const facts = [
    ...factsOfLocks(origin, title, locks),
    ...factsOfLeftOut(origin, title, listed.leftOut),
    ...newest.flatMap(({ given, stored }) => factsOfArtifact(origin, given, stored.sha256)),
  ].slice(0, factsMax);
  return {
    items: [
      ...[...context, ...listed.items].map((item): ItemOf => ({ origin, item, isReturned: true })),
      ...(summary === undefined || summary.trim() === '' ? [] : [toSummaryItem(origin, summary)]),
      ...artifacts.map(({ stored }) => toArtifactItem(origin, stored)),
      ...facts,
    ],
    outdated: findOutdated(origin, newest, facts),
  };
}

/** What an attempt leaves that ended without a result: its items, and which files it held, which is where the next has to look. */
export const itemsOfFailure = (
  origin: Origin,
  { context, title, locks }: Pick<Returned, 'context' | 'title' | 'locks'>,
): ReturnedItems => ({
  items: [...context.map((item): ItemOf => ({ origin, item, isReturned: true })), ...factsOfLocks(origin, title, locks)],
  outdated: [],
});

/** What an artifact leaves that no completion brought. */
export function itemsOfArtifact(origin: Origin, artifact: ReturnedArtifact): ReturnedItems {
  const facts = factsOfArtifact(origin, artifact.given, artifact.stored.sha256);
  return { items: [toArtifactItem(origin, artifact.stored), ...facts], outdated: findOutdated(origin, [artifact], facts) };
}

function findOutdated({ ticketId, phase }: Origin, artifacts: readonly ReturnedArtifact[], facts: readonly ItemOf[]): Topic[] {
  const told = new Set(facts.map(({ topic }) => topic));
  return artifacts
    .flatMap(({ stored }) => topicsOfArtifact(stored))
    .filter((topic) => !told.has(topic))
    .map((topic) => ({ ticketId, phase, topic, texts: [], keepsPinned: true }));
}

/** That somebody refused an approval, and why: what those after a regression have to know until it is given. */
export const itemOfRefusal = (
  origin: Origin,
  { name, comment }: { readonly name: string; readonly comment: string | undefined },
): ItemOf => ({
  origin,
  topic: refusalTopic(name),
  item: {
    ...plain,
    kind: 'fact',
    text: `${origin.author} refused the approval "${name}"`,
    ...(comment !== undefined && { rationale: comment }),
  },
});

export const refusalTopic = (approval: string): string => topicOf('approval', approval);

const toSummaryItem = (origin: Origin, text: string): ItemOf => ({ origin, source: 'summary', item: { ...plain, kind: 'fact', text } });

function toArtifactItem(origin: Origin, { type, name, version, sha256, uri }: Artifact): ItemOf {
  const place = uri === undefined ? '' : `, at ${uri}`;
  return {
    origin,
    source: 'artifact',
    topic: topicOf('artifact', type, name),
    item: {
      ...plain,
      kind: 'fact',
      text: `${type} "${name}" version ${version}, sha256 ${sha256.slice(0, 12)}${place}`,
      data: { type, name, version, sha256 },
      references: [{ kind: 'artifact', value: sha256 }],
    },
  };
}

const plain = { references: [], pinned: false };
