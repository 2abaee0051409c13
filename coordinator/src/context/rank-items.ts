import type { ContextItem, ContextKind } from '@baton/protocol';
import { toNumber } from './citation.ts';

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
const weightOfSource = { summary: 2.5, artifact: 2.2, reported: 1.4, mechanical: 1.5 } as const;

/** The best answer to the query comes before an instruction that has nothing to do with it. */
const weightOfRelevance = 8;
/** It speaks of a file that the query names. */
const weightOfFile = 6;
/** How near and how new an item is. */
const weightOfPlace = 1;
/** Where something answers the query, it only decides between equals: neither says anything about the answer. */
const weightOfPlaceBesideAnswers = 0.02;
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
  const candidates = scoreItems(items, reader);
  lift(candidates);
  return candidates
    .sort((a, b) => Number(b.item.pinned) - Number(a.item.pinned) || b.score - a.score || b.number - a.number)
    .map(({ item }) => item);
}

interface Candidate {
  readonly item: ContextItem;
  readonly number: number;
  score: number;
}

function scoreItems(items: readonly ContextItem[], { phases, query, relevance }: Reader): Candidate[] {
  const order = new Map(phases.map((phase, index) => [phase, index]));
  const newest = items.reduce((highest, item) => Math.max(highest, toNumber(item.citation)), 1);
  const isNamed = fileMatcher(query);
  const placeWeight = relevance.size === 0 ? weightOfPlace : weightOfPlaceBesideAnswers;
  return items.map((item) => {
    const { citation, kind, source, phase, references } = item;
    const number = toNumber(citation);
    const nearness = ((order.get(phase) ?? 0) + 1) / Math.max(1, phases.length);
    const touched = references.some(({ kind, value }) => kind === 'file' && isNamed(value)) ? weightOfFile : 0;
    const weight = source === 'said' ? weightOfKind[kind] : weightOfSource[source];
    const place = ((nearness + number / newest) / 2) * placeWeight;
    const score = weight + (relevance.get(citation) ?? 0) * weightOfRelevance + touched + place;
    return { item, number, score };
  });
}

/** One step along the references: to another item, to the item of an artifact, to what a task left. */
function lift(candidates: readonly Candidate[]): void {
  const lifted = new Map<string, number>();
  for (const { item, score } of candidates) {
    // An artifact's own item refers to it, and says no more than that it is there.
    if (item.source === 'artifact') continue;
    for (const { kind, value } of item.references) {
      if (kind === 'file' || kind === 'event') continue;
      const place = `${kind} ${value}`;
      lifted.set(place, Math.max(lifted.get(place) ?? 0, score - lossByReference));
    }
  }
  if (lifted.size === 0) return;
  for (const candidate of candidates)
    for (const place of placesOf(candidate.item)) candidate.score = Math.max(candidate.score, lifted.get(place) ?? 0);
}

/** Where references lead to this item. */
function placesOf({ citation, source, taskId, references }: ContextItem): string[] {
  const places = [`item ${citation}`];
  if (source === 'artifact') places.push(...references.map(({ value }) => `artifact ${value}`));
  if (source === 'summary' && taskId !== undefined) places.push(`task ${taskId}`);
  return places;
}

/** Whether a query names a file, by its path or by the last part of it. */
function fileMatcher(query: string): (path: string) => boolean {
  const named = new Set(
    query
      .split(/[\s,;()'"`]+/)
      .filter((word) => /[./]/.test(word))
      // Where a line is named, the file is.
      .map((word) => word.replace(/[.:!?]+$/, '').replace(/(:\d+([-:]\d+)*|#L\d+\S*)$/, '')),
  );
  if (named.size === 0) return () => false;
  return (path) => named.has(path) || named.has(path.slice(path.lastIndexOf('/') + 1));
}
