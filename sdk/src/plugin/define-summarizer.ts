import type { ContextItem } from '@baton/protocol';
import type { z } from 'zod';

export interface SummarizeInput<Config> {
  readonly config: Config;
  /** What holds, oldest first. What was superseded is not among them. */
  readonly items: readonly ContextItem[];
  /** The most that `count(text)` may be. */
  readonly budgetTokens: number;
  /** Counts the tokens of a text as the coordinator does. */
  count(text: string): number;
  readonly signal: AbortSignal;
}

export interface Summary {
  /** Each line ends with what it stands on, in brackets: `[c:12]`, `[c:12][c:13]`. */
  readonly text: string;
  /** The citations of all items that the text stands on, such as `c:12`. */
  readonly citations: readonly string[];
}

export interface Summarizer<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly config: Schema;
  summarize(input: SummarizeInput<z.output<Schema>>): Summary | Promise<Summary>;
}

/**
 * Condenses what a phase has come to. Refused is a summary over the budget, one with a line that cites nothing, one that cites
 * what is not among the items, and one that leaves out a constraint, a rejected alternative or a number: each has to be cited on
 * a line that has its figures. Then the coordinator's own takes its place, and says why.
 */
export const defineSummarizer = <Schema extends z.ZodType>(summarizer: Summarizer<Schema>): Summarizer<Schema> => summarizer;
