import type { ContextItem, ContextKind } from '@baton/protocol';
import type { Summary } from './define-summarizer.ts';

/** What gets lost when work changes hands, and costs most: a summary has to cover all of it. */
export const coveredKinds: readonly ContextKind[] = ['constraint', 'rejected', 'number'];

export interface SummaryTask {
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
  count(text: string): number;
}

/**
 * Why a summary must not be used, for a person to read; undefined where it keeps its promises. It is within its budget, cites
 * only what is among the items and holds, and covers every constraint, rejected alternative and number.
 */
export function findSummaryFault({ text, citations }: Summary, { items, budgetTokens, count }: SummaryTask): string | undefined {
  const tokens = count(text);
  if (tokens > budgetTokens) return `The summary has ${tokens} tokens, of ${budgetTokens} allowed.`;

  const known = new Map(items.map((item) => [item.citation, item]));
  const cited = [...citations, ...listCitations(text)];
  const invented = cited.find((citation) => !known.has(citation));
  if (invented !== undefined) return `The summary cites ${invented}, which is not among the items.`;
  const givenUp = cited.find((citation) => known.get(citation)?.superseded !== undefined);
  if (givenUp !== undefined) return `The summary cites ${givenUp}, which no longer holds.`;

  const uncovered = findUncovered(text, items);
  if (uncovered.length === 0) return undefined;
  const named = uncovered.slice(0, 10).map(({ citation, kind }) => `${citation} (${kind})`);
  const more = uncovered.length > named.length ? ` and ${uncovered.length - named.length} more` : '';
  return `The summary leaves out ${named.join(', ')}${more}: it has to carry each word for word, or cite it on a line that has its figures.`;
}

/**
 * The constraints, rejected alternatives and numbers that a text does not cover. One is covered where its words stand in the
 * text, or where a line cites it and has all of its figures, since a figure that was changed is worse than one that is missing.
 */
export function findUncovered(text: string, items: readonly ContextItem[]): ContextItem[] {
  const due = items.filter(({ kind, superseded }) => coveredKinds.includes(kind) && superseded === undefined);
  if (due.length === 0) return [];
  const flat = flatten(text);
  const figuresByCitation = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const figures = listFigures(line.replaceAll(bracketed, ' '));
    for (const citation of listCitations(line)) {
      const known = figuresByCitation.get(citation) ?? new Set();
      for (const figure of figures) known.add(figure);
      figuresByCitation.set(citation, known);
    }
  }
  return due.filter((item) => {
    if (flat.includes(flatten(item.text))) return false;
    const figures = figuresByCitation.get(item.citation);
    return figures === undefined || listFigures(item.text).some((figure) => !figures.has(figure));
  });
}

const bracketed = /\[[^\][\n]{1,1000}\]/g;

/** The citations in a text, such as those of `[c:3]`, `[c:3][c:4]` and `[c:3, c:4, DESIGN]`. */
const listCitations = (text: string): string[] =>
  (text.match(bracketed) ?? []).flatMap((group) => group.match(/(?<![\w:])c:\d+(?![\w])/g) ?? []);

/** Numbers as they are written: 61.4, 1,000 and 2026 are one each. */
const listFigures = (text: string): string[] => text.match(/\d+(?:[.,]\d+)*/g) ?? [];

const flatten = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
