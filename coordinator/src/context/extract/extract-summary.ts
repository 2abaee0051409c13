import type { ContextItem, ContextKind } from '@baton/protocol';
import { isDue, type Statement, toStatements } from '@baton/sdk/plugin';
import { chooseSentences } from './choose-sentences.ts';
import { rankSentences } from './rank-sentences.ts';
import { type Sentence, splitSentences } from './sentences.ts';
import { countOverlaps } from './similarity.ts';

export interface ExtractOptions {
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
  count(text: string): number;
}

export interface Extract {
  readonly text: string;
  /** Of all items that the text stands on. */
  readonly citations: string[];
}

/** How much is weighed against each other: some 10 ms of work, during which nobody else is served. The summary has room for far less. */
const sentencesMax = 300;
const charactersMax = 60_000;

/** What a sentence of this kind is worth, against one of a fact that is as central: what was settled or is open counts for more. */
const kindWeights = {
  constraint: 1,
  rejected: 1,
  number: 1,
  instruction: 2,
  decision: 2,
  question: 1.5,
  risk: 1.5,
  fact: 1,
} as const satisfies Record<ContextKind, number>;

/** Shorter lines than this there are none. */
const lineTokensMin = 6;

/** After as many that had no room the search for one that has is over: each costs time, and brings less. */
const refusalsMax = 20;

/**
 * The summary that needs no plugin: sentences of the items as they are, one line for each item, with its citation. Constraints,
 * rejected alternatives and numbers come first, whole; while one of them has no room, nothing else gets any. The room left goes to one
 * sentence of each other kind, then to those that are most central (TextRank) and say least again (maximal marginal relevance); the
 * first sentence of an item before its others, and its reasons in brackets. Never over the budget, and the same text for the same items
 * in whatever order they come.
 */
export function extractSummary({ items, budgetTokens, count }: ExtractOptions): Extract {
  const statements = toStatements(items);
  const lines = createLines({ budgetTokens, count });

  if (addDue(statements, lines)) {
    const sentences = selectSentences(statements);
    const overlaps = countOverlaps(sentences);
    const ranks = rankSentences(sentences, overlaps);
    const worths = sentences.map(({ statement: { kind, pinned } }, index) => (ranks[index] ?? 0) * kindWeights[kind] * (pinned ? 2 : 1));
    for (const sentence of firstOfKinds(sentences, worths)) lines.add(sentence);
    let refusals = 0;
    chooseSentences({ sentences, overlaps, worths }, (sentence) => {
      if (lines.add(sentence)) return 'taken';
      refusals += 1;
      return refusals < refusalsMax && lines.left() >= lineTokensMin ? 'refused' : 'full';
    });
  }
  return lines.write(statements);
}

/** Adds what has to be carried as far as there is room. True where all of it has some. */
function addDue(statements: readonly Statement[], lines: Lines): boolean {
  let refusals = 0;
  for (const statement of statements.filter(isDue)) {
    if (refusals === refusalsMax || lines.left() < lineTokensMin) return false;
    if (!lines.add({ statement, text: statement.text, position: 0, isReason: false, words: new Set() })) refusals += 1;
  }
  return refusals === 0;
}

/** What the rest is chosen from, in the order of the statements: of each kind in turn the first, which are pinned or new. */
function selectSentences(statements: readonly Statement[]): Sentence[] {
  const turns = [...Map.groupBy(statements, ({ kind }) => kind).values()].flatMap((ofKind) =>
    ofKind.map((statement, turn) => ({ statement, turn })),
  );
  const selected = new Map<Statement, Sentence[]>();
  let [sentencesLeft, charactersLeft] = [sentencesMax, charactersMax];
  for (const { statement } of turns.toSorted((a, b) => a.turn - b.turn)) {
    if (sentencesLeft <= 0 || charactersLeft <= 0) break;
    // Of what has to be carried the text stands there already; only its reasons are still to be chosen from.
    const open = splitSentences(statement).filter(({ isReason }) => isReason || !isDue(statement));
    selected.set(statement, open.slice(0, sentencesLeft));
    sentencesLeft -= open.length;
    charactersLeft -= statement.text.length + (statement.rationale?.length ?? 0);
  }
  return statements.flatMap((statement) => selected.get(statement) ?? []);
}

/**
 * Of each kind that need not be carried whole the sentence that is worth most. A risk that nothing else speaks of is not central, and
 * a summary without it would say that there is none.
 */
function firstOfKinds(sentences: readonly Sentence[], worths: readonly number[]): Sentence[] {
  const worthOf = new Map(sentences.map((sentence, index) => [sentence, worths[index] ?? 0]));
  const leading = sentences.filter(({ statement, position }) => !isDue(statement) && position === 0);
  return [...Map.groupBy(leading, ({ statement }) => statement.kind).values()].flatMap((ofKind) =>
    ofKind.toSorted((a, b) => (worthOf.get(b) ?? 0) - (worthOf.get(a) ?? 0)).slice(0, 1),
  );
}

interface Lines {
  left(): number;
  /** False where it has no room. */
  add(sentence: Sentence): boolean;
  write(order: readonly Statement[]): Extract;
}

function createLines({ budgetTokens, count }: Pick<ExtractOptions, 'budgetTokens' | 'count'>): Lines {
  const added: Statement[] = [];
  const costs = new Map<Statement, number>();
  const byStatement = new Map<Statement, readonly Sentence[]>();
  let left = budgetTokens;

  return {
    left: () => left,
    add(sentence) {
      const { statement } = sentence;
      const before = byStatement.get(statement) ?? [];
      if (before.some(({ position }) => position === sentence.position)) return true;
      // "It has no retries yet." says nothing without what stands before it.
      const lead = before.length === 0 && sentence.position > 0 ? splitSentences(statement).slice(0, 1) : [];
      const sentences = [...before, ...lead, sentence];
      // The break of a line counts for one, to be safe.
      const cost = count(writeLine(statement, sentences)) + 1;
      const more = cost - (costs.get(statement) ?? 0);
      if (more > left) return false;
      left -= more;
      costs.set(statement, cost);
      byStatement.set(statement, sentences);
      added.push(statement);
      return true;
    },
    write(order) {
      // Lines can count for more together than one by one: then what came last is given back.
      for (;;) {
        const shown = order.filter((statement) => byStatement.has(statement));
        const text = shown.map((statement) => writeLine(statement, byStatement.get(statement) ?? [])).join('\n');
        const last = count(text) > budgetTokens ? added.pop() : undefined;
        if (last === undefined) return { text, citations: shown.flatMap(({ citations }) => citations) };
        const rest = (byStatement.get(last) ?? []).slice(0, -1);
        if (rest.length === 0) byStatement.delete(last);
        else byStatement.set(last, rest);
      }
    },
  };
}

const writeLine = ({ kind, citations }: Statement, sentences: readonly Sentence[]): string => {
  const ordered = sentences.toSorted((a, b) => a.position - b.position);
  const textOf = (isReason: boolean) =>
    ordered
      .filter((sentence) => sentence.isReason === isReason)
      .map(({ text }) => text)
      .join(' ');
  const reasons = textOf(true);
  return `${kind}: ${textOf(false)}${reasons === '' ? '' : ` (${reasons})`} ${citations.map((citation) => `[${citation}]`).join('')}`;
};
