import type { ContextItem, ContextKind } from '@baton/protocol';

/** What must not be forgotten comes before what is good to know. */
const weightOfKind = {
  instruction: 8,
  constraint: 7,
  number: 6.5,
  rejected: 6,
  decision: 5.5,
  question: 5,
  risk: 4,
  fact: 2,
} as const satisfies Record<ContextKind, number>;

/** What nobody said has its weight by where it comes from: a summary, an artifact, a recorded fact. */
const weightOfSource = { summary: 2.5, artifact: 2.2, mechanical: 1.5 } as const;

/** The best answer to the query comes before an instruction that has nothing to do with it. */
const weightOfRelevance = 8;
/** It speaks of a file that the query names. */
const weightOfFile = 6;
/** What an item leans on comes close behind it. */
const lossByReference = 1;

export interface Reader {
  /** The phases in the order of the workflow, up to the reader's. */
  readonly phases: readonly string[];
  readonly query: string;
  /** How well items answer the query, by citation, from 0 to 1. */
  readonly relevance: ReadonlyMap<string, number>;
}

/**
 * The order in which items are given room, the same for every budget: the pinned ones, then by kind, relevance to the query,
 * distance between the phases and age. Items that highly ranked ones refer to move up with them.
 */
export function rankItems(items: readonly ContextItem[], reader: Reader): ContextItem[] {
  const scores = scoreItems(items, reader);
  const scoreOf = ({ citation }: ContextItem) => scores.get(citation) ?? 0;
  return [...items].sort((a, b) => Number(b.pinned) - Number(a.pinned) || scoreOf(b) - scoreOf(a) || numberOf(b) - numberOf(a));
}

export const numberOf = ({ citation }: Pick<ContextItem, 'citation'>): number => Number(citation.slice('c:'.length));

function scoreItems(items: readonly ContextItem[], { phases, query, relevance }: Reader): Map<string, number> {
  const order = new Map(phases.map((phase, index) => [phase, index]));
  const newest = Math.max(1, ...items.map(numberOf));
  const isNamed = fileMatcher(query);
  const scores = new Map<string, number>();
  for (const item of items) {
    const { citation, kind, source, phase, references } = item;
    const nearness = ((order.get(phase) ?? 0) + 1) / Math.max(1, phases.length);
    const recency = numberOf(item) / newest;
    const touched = references.some(({ kind, value }) => kind === 'file' && isNamed(value)) ? weightOfFile : 0;
    const weight = source === 'said' ? weightOfKind[kind] : weightOfSource[source];
    scores.set(citation, weight + (relevance.get(citation) ?? 0) * weightOfRelevance + touched + nearness / 2 + recency / 2);
  }
  lift(items, scores);
  return scores;
}

/** One step along the references: to another item, to the item of an artifact, to what a task left. */
function lift(items: readonly ContextItem[], scores: Map<string, number>): void {
  const referring = items.filter(({ references }) => references.some(({ kind }) => kind !== 'file' && kind !== 'event'));
  if (referring.length === 0) return;
  const targets = new Map<string, ContextItem[]>();
  const add = (key: string, item: ContextItem) => targets.set(key, [...(targets.get(key) ?? []), item]);
  for (const item of items) {
    add(`item ${item.citation}`, item);
    if (item.source === 'artifact') for (const { value } of item.references) add(`artifact ${value}`, item);
    if (item.source === 'summary' && item.taskId !== undefined) add(`task ${item.taskId}`, item);
  }
  const before = new Map(scores);
  for (const item of referring) {
    // An artifact's own item refers to it, and says no more than that it is there.
    if (item.source === 'artifact') continue;
    const lifted = (before.get(item.citation) ?? 0) - lossByReference;
    for (const { kind, value } of item.references)
      for (const { citation } of targets.get(`${kind} ${value}`) ?? []) scores.set(citation, Math.max(scores.get(citation) ?? 0, lifted));
  }
}

/** Whether a query names a file, by its path or by the last part of it. */
function fileMatcher(query: string): (path: string) => boolean {
  const named = new Set(
    query
      .split(/[\s,;()'"`]+/)
      .filter((word) => /[./]/.test(word))
      .map((word) => word.replace(/[.:!?]+$/, '')),
  );
  return (path) => named.has(path) || named.has(path.slice(path.lastIndexOf('/') + 1));
}
