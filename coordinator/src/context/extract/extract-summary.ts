import type { ContextItem, ContextKind } from '@baton/protocol';
import { chooseSentences } from './choose-sentences.ts';
import { rankSentences } from './rank-sentences.ts';
import { type Sentence, splitSentences } from './sentences.ts';
import { countOverlaps } from './similarity.ts';
import { isDue, type Statement, toStatements } from './statements.ts';

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

/** How many sentences are weighed against each other: some 100 ms of work. Of more, the newest of the first kinds are. */
const sentencesMax = 2_000;

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

/** After as many that had no room the search for one that has is over: it costs more than it brings. */
const refusalsMax = 20;

/**
 * The summary that needs no plugin: sentences of the items as they are, one line for each item, with its citation. Constraints,
 * rejected alternatives and numbers come first, whole; while one of them has no room, nothing else gets any. The room left goes
 * to the sentences that are most central (TextRank) and say least again (maximal marginal relevance). Never over the budget, and
 * the same text for the same items in whatever order they come.
 */
export function extractSummary({ items, budgetTokens, count }: ExtractOptions): Extract {
  const statements = toStatements(items);
  const lines = createLines({ budgetTokens, count });

  const due = statements.filter(isDue);
  const hasRoom = (statement: Statement) =>
    lines.left() >= lineTokensMin && lines.add({ statement, text: statement.text, position: 0, words: new Set() });
  const missing = due.filter((statement) => !hasRoom(statement));
  if (missing.length === 0) {
    const sentences = statements.flatMap(splitSentences).filter(isOpen).slice(0, sentencesMax);
    const overlaps = countOverlaps(sentences);
    const ranks = rankSentences(sentences, overlaps);
    const worths = sentences.map(({ statement: { kind, pinned } }, index) => (ranks[index] ?? 0) * kindWeights[kind] * (pinned ? 2 : 1));
    let refusals = 0;
    chooseSentences({ sentences, overlaps, worths }, (sentence) => {
      if (lines.add(sentence)) return 'taken';
      refusals += 1;
      return refusals < refusalsMax && lines.left() >= lineTokensMin ? 'refused' : 'full';
    });
  }
  return lines.write(statements);
}

/** Of what has to be carried the text stands there already; only its reasons are still to be chosen from. */
const isOpen = ({ statement, text }: Sentence): boolean => !isDue(statement) || !statement.text.includes(text);

interface Lines {
  left(): number;
  /** False where it has no room. */
  add(sentence: Sentence): boolean;
  write(order: readonly Statement[]): Extract;
}

function createLines({ budgetTokens, count }: Pick<ExtractOptions, 'budgetTokens' | 'count'>): Lines {
  const added: Sentence[] = [];
  const costs = new Map<Statement, number>();
  const byStatement = new Map<Statement, Sentence[]>();
  let left = budgetTokens;

  return {
    left: () => left,
    add(sentence) {
      const { statement } = sentence;
      const sentences = [...(byStatement.get(statement) ?? []), sentence];
      // The break of a line counts for one, to be safe.
      const cost = count(writeLine(statement, sentences)) + 1;
      const more = cost - (costs.get(statement) ?? 0);
      if (more > left) return false;
      left -= more;
      costs.set(statement, cost);
      byStatement.set(statement, sentences);
      added.push(sentence);
      return true;
    },
    write(order) {
      // Lines can count for more together than one by one: then what came last is given back.
      for (;;) {
        const shown = order.filter((statement) => byStatement.has(statement));
        const text = shown.map((statement) => writeLine(statement, byStatement.get(statement) ?? [])).join('\n');
        const last = count(text) > budgetTokens ? added.pop() : undefined;
        if (last === undefined) return { text, citations: shown.flatMap(({ citations }) => citations) };
        const rest = (byStatement.get(last.statement) ?? []).filter((sentence) => sentence !== last);
        if (rest.length === 0) byStatement.delete(last.statement);
        else byStatement.set(last.statement, rest);
      }
    },
  };
}

const writeLine = ({ kind, citations }: Statement, sentences: readonly Sentence[]): string => {
  const texts = sentences.toSorted((a, b) => a.position - b.position).map(({ text }) => text);
  return `${kind}: ${texts.join(' ')} ${citations.map((citation) => `[${citation}]`).join('')}`;
};
