import type { Summarizer } from '../plugin/index.ts';
import { z } from 'zod';
import { countTokens } from './count-tokens.ts';
import type { SummarizeJob } from './job.ts';
import { boundFindings, type ThreadAnswer } from './outcome.ts';
import { readPluginConfig } from './plugin-config.ts';
import type { RunOptions } from './run-validator.ts';

const summary = z.object({ text: z.string(), citations: z.array(z.string().max(128)) });

/** Runs one summarizer. Whether its summary keeps its promises is judged outside, where its code cannot reach: see `findSummaryFault`. */
export async function runSummarizer(summarizer: Summarizer, job: SummarizeJob, { signal, bytesMax }: RunOptions): Promise<ThreadAnswer> {
  const config = await readPluginConfig(summarizer, job.config);
  if (!config.fits) return { kind: 'refused', findings: boundFindings(config.findings, { bytesMax }) };

  const { items, budgetTokens } = job;
  const returned = summary.safeParse(await summarizer.summarize({ config: config.value, items, budgetTokens, count: countTokens, signal }));
  if (returned.success) return { kind: 'summarized', ...returned.data };
  const message = 'The summarizer did not return { text, citations }.';
  return { kind: 'refused', findings: [{ severity: 'fail', code: 'answer_invalid', message }] };
}
