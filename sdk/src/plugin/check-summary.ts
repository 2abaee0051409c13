import type { ContextItem, ContextKind } from '@baton/protocol';
import { createCitationReader, withoutCitations } from './citations.ts';
import type { Summary } from './define-summarizer.ts';
import { hasNumber, hasWords, listWords } from './words.ts';
import { hasWordForWord } from './word-for-word.ts';

/** What gets lost when work changes hands, and costs most: a summary has to cover all of it. */
export const coveredKinds: readonly ContextKind[] = ['constraint', 'rejected', 'number'];

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
  return `The summary leaves out ${named.join(', ')}${more}: it has to carry each as a sentence of its own, word for word with its citation, or, where it has no number, cite it on a line with half of its words.`;
}

/**
 * The constraints, rejected alternatives and numbers that a text does not cover. One is covered where a line that cites it has it word for
 * word, as a sentence of its own. What has no number, neither in figures nor in words, may be told otherwise: by lines that cite it and have half of its words.
 */
export function findUncovered(text: string, items: readonly ContextItem[]): ContextItem[] {
  const due = items.filter(({ kind, superseded }) => coveredKinds.includes(kind) && superseded === undefined);
  if (due.length === 0) return [];
  const read = createCitationReader(items);
  const citing = new Map<string, string[]>();
  for (const line of listLines(text))
    for (const citation of read(line)) {
      const lines = citing.get(citation);
      if (lines === undefined) citing.set(citation, [line]);
      else lines.push(line);
    }
  return due.filter((item) => {
    const lines = citing.get(item.citation) ?? [];
    return !lines.some((line) => hasWordForWord(line, item.text)) && !isRetold(item, lines);
  });
}

const listLines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/**
 * Whether other words than its own may cover what a summary has to carry. A number in other words is another number too easily: other
 * units, the other sign, the figure of something else.
 */
export const mayBeRetold = ({ kind, text }: Pick<ContextItem, 'kind' | 'text'>): boolean =>
  kind !== 'number' && !hasNumber(withoutCitations(text)) && hasWords(text);

function isRetold(item: ContextItem, lines: readonly string[]): boolean {
  if (!mayBeRetold(item)) return false;
  const words = new Set(listWords(item.text));
  const said = new Set(listWords(lines.join('\n')));
  return words.size > 0 && [...words].filter((word) => said.has(word)).length * 2 >= words.size;
}
