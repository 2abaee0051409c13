import {
  type Artifact,
  type ContextKind,
  type GrantedLock,
  type JsonObject,
  type JsonValue,
  type NewArtifact,
  type NewContextItem,
  newContextItem,
} from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { ItemOf } from './context.store.ts';
import { factsOfArtifact, factsOfLocks } from './mechanical-facts.ts';

/** What is read of the lists in an output. */
const listedMax = 100;

/** The lists of an output that are read as items. An instruction is nothing that a task's output gives. */
const kindOfList = {
  decisions: 'decision',
  constraints: 'constraint',
  rejected: 'rejected',
  risks: 'risk',
  questions: 'question',
  facts: 'fact',
  numbers: 'number',
} as const satisfies Record<string, ContextKind>;

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

/**
 * What a completed attempt leaves: its items, those that its output lists, its summary, an index of its artifacts, and what
 * follows from the evidence without believing it.
 */
export function itemsOfCompletion(origin: Origin, { context, output, summary, artifacts, title, locks }: Returned): ItemOf[] {
  const facts = [
    ...artifacts.flatMap(({ given, stored }) => factsOfArtifact(origin, given, stored.sha256)),
    ...factsOfLocks(origin, title, locks),
  ];
  return [
    ...[...context, ...listItemsOf(output)].map((item) => ({ origin, item })),
    ...(summary === undefined || summary.trim() === '' ? [] : [toSummaryItem(origin, summary)]),
    ...artifacts.map(({ stored }) => toArtifactItem(origin, stored)),
    ...facts.slice(0, factsMax),
  ];
}

/** What an artifact leaves that no completion brought. */
export const itemsOfArtifact = (origin: Origin, { given, stored }: ReturnedArtifact): ItemOf[] => [
  toArtifactItem(origin, stored),
  ...factsOfArtifact(origin, given, stored.sha256),
];

/** That somebody refused an approval, and why: what those after a regression have to know. */
export const itemOfRefusal = (
  origin: Origin,
  { name, comment }: { readonly name: string; readonly comment: string | undefined },
): ItemOf => ({
  origin,
  item: {
    ...plain,
    kind: 'fact',
    text: `${origin.author} refused the approval "${name}"`,
    ...(comment !== undefined && { rationale: comment }),
  },
});

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

/**
 * The items in an output such as `{ decisions: ['Use OAuth2', { text: 'Use PostgreSQL', rationale: 'We know it.' }] }`. What is no
 * statement is passed over: an output is the task's own, and may call something else by these names.
 */
function listItemsOf(output: JsonValue | undefined): NewContextItem[] {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return [];
  return Object.entries(kindOfList).flatMap(([name, kind]) => {
    const list = Object.hasOwn(output, name) ? (output as Readonly<Record<string, JsonValue>>)[name] : undefined;
    return Array.isArray(list) ? list.slice(0, listedMax).flatMap((entry: JsonValue) => toItem(kind, entry)) : [];
  });
}

function toItem(kind: ContextKind, entry: JsonValue): NewContextItem[] {
  const given = typeof entry === 'string' ? { text: entry } : entry;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return [];
  const item = newContextItem.safeParse({ ...(given as JsonObject), kind });
  return item.success ? [item.data] : [];
}
