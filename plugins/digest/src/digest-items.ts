import type { ContextItem, Summary } from '@baton/sdk/plugin';
import { type Entry, isKept, toEntries } from './entry.ts';

export interface Budget {
  readonly budgetTokens: number;
  count(text: string): number;
}

/** A piece of an entry that is taken whole or not at all. */
interface Piece {
  readonly entry: Entry;
  readonly text: string;
}

/**
 * Takes whole statements and sentences, never words of its own, until the budget is used up. Constraints, rejected
 * alternatives and numbers come first: while one of them has no place, nothing else gets one. The same items give the same text.
 */
export function digestItems(items: readonly ContextItem[], { budgetTokens, count }: Budget): Summary {
  const entries = toEntries(items);
  const kept = entries.filter(isKept);
  const taken: Piece[] = [];
  let left = budgetTokens;

  const take = (piece: Piece): boolean => {
    const own = taken.filter(({ entry }) => entry === piece.entry);
    // A line break counts for one, to be safe.
    const cost = own.length === 0 ? count(renderLine([piece])) + 1 : count(renderLine([...own, piece])) - count(renderLine(own));
    if (cost > left) return false;
    left -= cost;
    taken.push(piece);
    return true;
  };

  const missing = kept.filter((entry) => !take({ entry, text: entry.text }));
  for (const entry of missing) {
    const [first, ...rest] = splitSentences(entry.text);
    if (first !== undefined && rest.length > 0) take({ entry, text: `${first} …` });
  }
  if (missing.length === 0) {
    for (const piece of [
      ...kept.flatMap(rationaleOf),
      ...entries
        .filter((entry) => !isKept(entry))
        .flatMap(toPieces)
        .toSorted(byDepth),
    ])
      take(piece);
  }
  return render(entries, taken, { budgetTokens, count });
}

/** With the number of the sentence it is in its item: first sentences say most. */
type RankedPiece = Piece & { readonly depth: number };

function toPieces(entry: Entry): RankedPiece[] {
  if (entry.kind !== 'fact') return [{ entry, text: entry.text, depth: 0 }, ...rationaleOf(entry).map((piece) => ({ ...piece, depth: 1 }))];
  // Facts are where tasks tell at length what they did.
  return splitSentences(entry.text).map((text, depth) => ({ entry, text, depth }));
}

const byDepth = (a: RankedPiece, b: RankedPiece) => a.depth - b.depth;

const rationaleOf = (entry: Entry): Piece[] => (entry.rationale === undefined ? [] : [{ entry, text: `(${entry.rationale})` }]);

function splitSentences(text: string): string[] {
  return [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)]
    .map(({ segment }) => segment.trim())
    .filter((sentence) => sentence !== '');
}

/** Joined lines can count for more than the lines one by one: then the last pieces are given back. */
function render(entries: readonly Entry[], taken: readonly Piece[], budget: Budget): Summary {
  const pieces = Map.groupBy(taken, ({ entry }) => entry);
  const shown = entries.filter((entry) => pieces.has(entry));
  const text = shown.map((entry) => renderLine(pieces.get(entry) ?? [])).join('\n');
  if (taken.length > 0 && budget.count(text) > budget.budgetTokens) return render(entries, taken.slice(0, -1), budget);
  return { text, citations: shown.flatMap(({ citations }) => citations) };
}

function renderLine(pieces: readonly Piece[]): string {
  const entry = pieces[0]?.entry;
  if (entry === undefined) return '';
  return `${entry.kind}: ${pieces.map(({ text }) => text).join(' ')} ${entry.citations.map((citation) => `[${citation}]`).join('')}`;
}
