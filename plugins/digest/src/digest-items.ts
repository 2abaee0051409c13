import { type ContextItem, isDue, type Statement, type Summary, toStatements } from '@baton/sdk/plugin';

export interface Budget {
  readonly budgetTokens: number;
  count(text: string): number;
}

/** A piece of a statement that is taken whole or not at all. */
interface Piece {
  readonly statement: Statement;
  readonly text: string;
}

/**
 * Takes whole statements and sentences, never words of its own, until the budget is used up. Constraints, rejected
 * alternatives and numbers come first: while one of them has no place, nothing else gets one. The same items give the same text.
 */
export function digestItems(items: readonly ContextItem[], { budgetTokens, count }: Budget): Summary {
  const statements = toStatements(items);
  const kept = statements.filter(isDue);
  const taken: Piece[] = [];
  let left = budgetTokens;

  const take = (piece: Piece): boolean => {
    const own = taken.filter(({ statement }) => statement === piece.statement);
    // A line break counts for one, to be safe.
    const cost = own.length === 0 ? count(renderLine([piece])) + 1 : count(renderLine([...own, piece])) - count(renderLine(own));
    if (cost > left) return false;
    left -= cost;
    taken.push(piece);
    return true;
  };

  const missing = kept.filter((statement) => !take({ statement, text: statement.text }));
  for (const statement of missing) {
    const [first, ...rest] = splitSentences(statement.text);
    if (first !== undefined && rest.length > 0) take({ statement, text: `${first} …` });
  }
  if (missing.length === 0) {
    for (const piece of [
      ...kept.flatMap(rationaleOf),
      ...statements
        .filter((statement) => !isDue(statement))
        .flatMap(toPieces)
        .toSorted(byDepth),
    ])
      take(piece);
  }
  return render(statements, taken, { budgetTokens, count });
}

/** With the number of the sentence it is in its item: first sentences say most. */
type RankedPiece = Piece & { readonly depth: number };

function toPieces(statement: Statement): RankedPiece[] {
  if (statement.kind !== 'fact')
    return [{ statement, text: statement.text, depth: 0 }, ...rationaleOf(statement).map((piece) => ({ ...piece, depth: 1 }))];
  // Facts are where tasks tell at length what they did.
  return splitSentences(statement.text).map((text, depth) => ({ statement, text, depth }));
}

const byDepth = (a: RankedPiece, b: RankedPiece) => a.depth - b.depth;

const rationaleOf = (statement: Statement): Piece[] =>
  statement.rationale === undefined ? [] : [{ statement, text: `(${statement.rationale})` }];

function splitSentences(text: string): string[] {
  return [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)]
    .map(({ segment }) => segment.trim())
    .filter((sentence) => sentence !== '');
}

/** Joined lines can count for more than the lines one by one: then the last pieces are given back. */
function render(statements: readonly Statement[], taken: readonly Piece[], budget: Budget): Summary {
  const pieces = Map.groupBy(taken, ({ statement }) => statement);
  const shown = statements.filter((statement) => pieces.has(statement));
  const text = shown.map((statement) => renderLine(pieces.get(statement) ?? [])).join('\n');
  if (taken.length > 0 && budget.count(text) > budget.budgetTokens) return render(statements, taken.slice(0, -1), budget);
  return { text, citations: shown.flatMap(({ citations }) => citations) };
}

function renderLine(pieces: readonly Piece[]): string {
  const statement = pieces[0]?.statement;
  if (statement === undefined) return '';
  return `${statement.kind}: ${pieces.map(({ text }) => text).join(' ')} ${statement.citations.map((citation) => `[${citation}]`).join('')}`;
}
