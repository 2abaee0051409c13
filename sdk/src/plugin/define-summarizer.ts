import type { ContextItem } from '@baton/protocol';
import type { z } from 'zod';

export interface SummarizeInput<Config> {
  readonly config: Config;
  /** Oldest first. */
  readonly items: readonly ContextItem[];
  /** The most that `count(text)` may be. */
  readonly budgetTokens: number;
  /** Counts the tokens of a text as the coordinator does. */
  count(text: string): number;
  readonly signal: AbortSignal;
}

export interface Summary {
  readonly text: string;
  /** The citations of the items that the text stands on, such as `c:12`. */
  readonly citations: readonly string[];
}

export interface Summarizer<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly config: Schema;
  summarize(input: SummarizeInput<z.output<Schema>>): Summary | Promise<Summary>;
}

/** Condenses what a phase has come to. A summary over the budget, or one that cites what is not there, is refused. */
export const defineSummarizer = <Schema extends z.ZodType>(summarizer: Summarizer<Schema>): Summarizer<Schema> => summarizer;
