import type { Artifact, GrantedLock, JsonValue, NewArtifact, NewContextItem } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { ItemOf } from './context.store.ts';
import { readListedItems } from './listed-items.ts';
import { factsOfArtifact, factsOfLeftOut, factsOfLocks } from './mechanical-facts.ts';
import type { Topic } from './standing.store.ts';

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

export interface CompletionItems {
  readonly items: readonly ItemOf[];
  /** What newer artifacts tell of, too, for which there was no room: what older ones told no longer holds. */
  readonly outdated: readonly Topic[];
}

/**
 * What a completed attempt leaves: its items, those that its output lists, its summary, an index of its artifacts, and what
 * follows from the evidence without believing it.
 */
export function itemsOfCompletion(origin: Origin, { context, output, summary, artifacts, title, locks }: Returned): CompletionItems {
  const listed = readListedItems(output);
  const told = artifacts.flatMap(({ given, stored }) => factsOfArtifact(origin, given, stored.sha256));
  // What the coordinator saw has its room before what it was told, of which the newest about a topic counts.
  const facts = [
    ...factsOfLocks(origin, title, locks),
    ...factsOfLeftOut(origin, title, listed.leftOut),
    ...new Map(told.map((fact) => [fact.topic, fact])).values(),
  ];
  return {
    items: [
      ...[...context, ...listed.items].map((item): ItemOf => ({ origin, item, isReturned: true })),
      ...(summary === undefined || summary.trim() === '' ? [] : [toSummaryItem(origin, summary)]),
      ...artifacts.map(({ stored }) => toArtifactItem(origin, stored)),
      ...facts.slice(0, factsMax),
    ],
    outdated: facts.slice(factsMax).flatMap(({ topic }) => (topic === undefined ? [] : [{ ...placeOf(origin), topic, texts: [] }])),
  };
}

/** What an artifact leaves that no completion brought. */
export const itemsOfArtifact = (origin: Origin, { given, stored }: ReturnedArtifact): ItemOf[] => [
  toArtifactItem(origin, stored),
  ...factsOfArtifact(origin, given, stored.sha256),
];

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

export const refusalTopic = (approval: string): string => JSON.stringify(['approval', approval]);

const placeOf = ({ ticketId, phase }: Origin) => ({ ticketId, phase });

const toSummaryItem = (origin: Origin, text: string): ItemOf => ({ origin, source: 'summary', item: { ...plain, kind: 'fact', text } });

function toArtifactItem(origin: Origin, { type, name, version, sha256, uri }: Artifact): ItemOf {
  const place = uri === undefined ? '' : `, at ${uri}`;
  return {
    origin,
    source: 'artifact',
    topic: JSON.stringify(['artifact', type, name]),
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
