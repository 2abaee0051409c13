import { type ContextItem, coveredKinds, findUncovered, type Summary } from '@baton/sdk/plugin';
import type { Statement } from './ask-model.ts';

export interface Room {
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
  count(text: string): number;
}

interface Line {
  readonly text: string;
  readonly citations: readonly string[];
}

/**
 * Makes a summary of what the model said. A statement without words or without a source, or with one that is not there, is left out. Constraints,
 * rejected alternatives and numbers that no statement covers come first, word for word, and what speaks of them alone is left out; then what
 * covers such items; then the others, as far as the budget goes.
 */
export function compose(statements: readonly Statement[], { items, budgetTokens, count }: Room): Summary {
  const known = new Map(items.map((item) => [item.citation, item]));
  const isDue = (citation: string) => coveredKinds.includes(known.get(citation)?.kind ?? 'fact');
  const sound = statements
    .map(toLine)
    .filter(({ text }) => /[\p{L}\p{N}]/u.test(text))
    .filter(({ citations }) => citations.length > 0 && citations.every((citation) => known.has(citation)));
  const due = sound.filter(({ citations }) => citations.some(isDue));
  const rest = sound.filter((line) => !due.includes(line));
  const uncovered = findUncovered(write(due), items);
  const carried = uncovered.map(({ kind, text, citation }) => ({
    text: `${kind}: ${text.replaceAll(/\s+/g, ' ').trim()}`,
    citations: [citation],
  }));
  // What speaks of nothing but them would say it again, with another number perhaps.
  const again = new Set(uncovered.map(({ citation }) => citation));
  const kept = due.filter(({ citations }) => citations.some((citation) => !again.has(citation)));

  const chosen: Line[] = [];
  for (const line of [...carried, ...kept, ...rest]) {
    if (count(write([...chosen, line])) <= budgetTokens) chosen.push(line);
  }
  return { text: write(chosen), citations: [...new Set(chosen.flatMap(({ citations }) => citations))] };
}

/** What the model put into brackets is no citation of ours. */
function toLine({ text, citations }: Statement): Line {
  const said = text
    .replaceAll(/\[[^\]\n]*\bc:\d+[^\]\n]*\]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return { text: said, citations: [...new Set(citations.map((citation) => citation.replaceAll(/[[\]\s]/g, '')))] };
}

const write = (lines: readonly Line[]): string =>
  lines.map(({ text, citations }) => `${text} ${citations.map((citation) => `[${citation}]`).join('')}`).join('\n');
