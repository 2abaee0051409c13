import { isDeepStrictEqual } from 'node:util';
import type { ContextItem, JsonObject } from '@baton/protocol';
import type { Summarizer } from '../plugin/index.ts';
import type { SummarizeOutcome } from '../plugin-host/plugin-host.ts';
import { findUnsendable } from './find-unsendable.ts';
import { makeItem } from './make-case.ts';
import { PluginTestError, refuseProblems } from './plugin-test-error.ts';
import { startTestHost, type TestPlace } from './test-host.ts';

/** What a summarizer is given. What is left out of an item is filled in; the first is cited as `c:1`. */
export interface SummarizerCase {
  /** For the message when it does not hold. */
  readonly name: string;
  readonly config?: JsonObject;
  readonly items: readonly (Partial<ContextItem> & Pick<ContextItem, 'text'>)[];
  /** Without it 1,000. */
  readonly budgetTokens?: number;
}

export interface SummaryCase extends SummarizerCase {
  /** Parts of the text, in any order. */
  readonly says?: readonly string[];
  /** All that is cited, in any order. */
  readonly cites?: readonly string[];
}

export interface RefusedCase extends SummarizerCase {
  /** A part of the message. */
  readonly reason: string;
}

export interface SummarizerCases extends TestPlace {
  /** Each comes to a summary. */
  readonly valid: readonly SummaryCase[];
  /** Each comes to none, for this reason. */
  readonly refused?: readonly RefusedCase[];
}

/**
 * Runs every case as a coordinator does, twice: in a process of its own, held to the budget and to citations of items that
 * exist. Two answers must be the same: a pack of context is to have the same bytes for the same state.
 * @throws PluginTestError with all that does not hold
 */
export async function testSummarizer(summarizer: Pick<Summarizer, 'name'>, cases: SummarizerCases): Promise<void> {
  await using host = await startTestHost(cases);
  if (!host.hasSummarizer(summarizer.name))
    throw new PluginTestError(
      `The package.json in ${host.folder} does not list the summarizer ${summarizer.name} under baton.summarizers.`,
    );
  const ask = ({ config = {}, items, budgetTokens = 1_000 }: SummarizerCase) =>
    host.summarize({ use: summarizer.name, config, items: items.map(makeItem), budgetTokens });

  async function judge<Case extends SummarizerCase>(
    list: readonly Case[],
    check: (outcome: SummarizeOutcome, each: Case) => string | undefined,
  ) {
    const problems: string[] = [];
    for (const each of list) {
      const { name, config, items } = each;
      const unsendable = findUnsendable({ config, items });
      if (unsendable !== undefined) {
        problems.push(`${name}: the case cannot be sent as JSON: ${unsendable}`);
        continue;
      }
      const [first, second] = [await ask(each), await ask(each)];
      const problem = check(first, each);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
      if (!isDeepStrictEqual(first, second))
        problems.push(`${name}: asked again it says something else: ${describe(first)}, then ${describe(second)}`);
    }
    return problems;
  }

  refuseProblems(summarizer.name, [...(await judge(cases.valid, judgeValid)), ...(await judge(cases.refused ?? [], judgeRefused))]);
}

function judgeValid(outcome: SummarizeOutcome, { says = [], cites }: SummaryCase): string | undefined {
  if (outcome.outcome !== 'ok') return `should come to a summary and is ${describe(outcome)}`;
  const missed = says.find((part) => !outcome.text.includes(part));
  if (missed !== undefined) return `should say "${missed}" and says ${describe(outcome)}`;
  return cites === undefined || isDeepStrictEqual(outcome.citations.toSorted(), cites.toSorted())
    ? undefined
    : `should cite ${cites.join(', ')} and cites ${outcome.citations.join(', ') || 'nothing'}`;
}

const judgeRefused = (outcome: SummarizeOutcome, { reason }: RefusedCase): string | undefined =>
  outcome.outcome !== 'ok' && outcome.message.includes(reason)
    ? undefined
    : `should be refused because of "${reason}" and is ${describe(outcome)}`;

const describe = (outcome: SummarizeOutcome): string =>
  outcome.outcome === 'ok' ? JSON.stringify(outcome.text) : `${outcome.outcome}: ${outcome.message}`;
