import type { ContextItem, ContextKind } from '@baton/protocol';
import { createCitationReader, withoutCitations } from './citations.ts';
import type { Summary } from './define-summarizer.ts';

/** What gets lost when work changes hands, and costs most: a summary has to cover all of it. */
export const coveredKinds: readonly ContextKind[] = ['constraint', 'rejected', 'number'];

/** The order in which a summary has the kinds: what it has to cover, then what was settled, what is open, and the rest. */
export const kindsByNeed: readonly ContextKind[] = [...coveredKinds, 'instruction', 'decision', 'question', 'risk', 'fact'];

export interface SummaryTask {
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
  count(text: string): number;
}

/**
 * Why a summary must not be used, for a person to read; undefined where it keeps its promises. It is within its budget, each of
 * its lines says something and cites what it stands on, all that is cited is among the items and holds, and every constraint,
 * rejected alternative and number is covered. That a line says the reverse of what it cites, with the same words, is not found.
 */
export function findSummaryFault({ text, citations }: Summary, { items, budgetTokens, count }: SummaryTask): string | undefined {
  const tokens = count(text);
  if (tokens > budgetTokens) return `The summary has ${tokens} tokens, of ${budgetTokens} allowed.`;

  const read = createCitationReader(items);
  const lines = listLines(text).map((line) => ({ line, cited: read(line) }));
  const known = new Map(items.map((item) => [item.citation, item]));
  const cited = [...citations, ...lines.flatMap((each) => each.cited)];
  const invented = cited.find((citation) => !known.has(citation));
  if (invented !== undefined) return `The summary cites ${invented}, which is not among the items.`;
  const givenUp = cited.find((citation) => known.get(citation)?.superseded !== undefined);
  if (givenUp !== undefined) return `The summary cites ${givenUp}, which no longer holds.`;
  const unfounded = lines.find((each) => each.cited.length === 0);
  if (unfounded !== undefined)
    return `The summary says "${unfounded.line.slice(0, 80)}" without a source: each line has to end with its citations, such as [c:12].`;
  const silent = lines.find(({ line }) => !/[\p{L}\p{N}]/u.test(withoutCitations(line)));
  if (silent !== undefined) return `The summary has a line that cites ${silent.cited[0]} and says nothing.`;

  const uncovered = findUncovered(text, items);
  if (uncovered.length === 0) return undefined;
  const named = uncovered.slice(0, 10).map(({ citation, kind }) => `${citation} (${kind})`);
  const more = uncovered.length > named.length ? ` and ${uncovered.length - named.length} more` : '';
  return `The summary leaves out ${named.join(', ')}${more}: it has to cite each on a line that has its figures with their units and half of its words, or carry it word for word with its citation.`;
}

/**
 * The constraints, rejected alternatives and numbers that a text does not cover. One is covered where a line cites it that has
 * all of its figures and at least half of its words of four letters or more, or several such lines together: a figure that was
 * changed is worse than one that is missing.
 */
export function findUncovered(text: string, items: readonly ContextItem[]): ContextItem[] {
  const due = items.filter(({ kind, superseded }) => coveredKinds.includes(kind) && superseded === undefined);
  if (due.length === 0) return [];
  const read = createCitationReader(items);
  const saidOf = new Map<string, { figures: Set<string>; words: Set<string> }>();
  for (const line of listLines(text)) {
    const [figures, words] = [listFigures(line), listWords(line)];
    for (const citation of read(line)) {
      const said = saidOf.get(citation) ?? { figures: new Set(), words: new Set() };
      for (const figure of figures) said.figures.add(figure);
      for (const word of words) said.words.add(word);
      saidOf.set(citation, said);
    }
  }
  return due.filter((item) => {
    const said = saidOf.get(item.citation);
    if (said === undefined || listFigures(item.text).some((figure) => !said.figures.has(figure))) return true;
    const words = new Set(listWords(item.text));
    return [...words].filter((word) => said.words.has(word)).length * 2 < words.size;
  });
}

const listLines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** A sign that stands between letters or digits is a hyphen. A unit ends where a letter or digit does not follow. */
const figure =
  /(?:(?<![\p{L}\p{N}])[-−])?\d+(?:[.,]\d+)*(?:\s*(?:[%‰°€$£]|(?:ns|µs|μs|us|ms|s|min|h|d|[kKMGT]?i?B|[kKMG]?Hz|px|[kKMG]i|[mkc]?m|[mk]?g)(?![\p{L}\p{N}])))?/gu;

/**
 * Numbers as they are written, with their sign and their unit: 61.4, 1,000, −5, 50 ms and 2026 are one each. The number of a
 * citation is none.
 */
const listFigures = (text: string): string[] =>
  (withoutCitations(text).match(figure) ?? []).map((each) => each.replace('−', '-').replaceAll(/\s/g, ''));

const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

const listWords = (text: string): string[] =>
  Array.from(segmenter.segment(withoutCitations(text)), ({ segment }) => segment.toLowerCase()).filter((word) => /\p{L}{4}/u.test(word));
