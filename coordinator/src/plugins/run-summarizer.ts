import type { Summarizer } from '@baton/sdk/plugin';
import { z } from 'zod';
import { countTokens } from '../context/count-tokens.ts';
import type { SummarizeJob } from './job.ts';
import { boundFindings, type ThreadAnswer } from './outcome.ts';
import { readPluginConfig } from './plugin-config.ts';
import type { RunOptions } from './run-validator.ts';

const summary = z.object({ text: z.string(), citations: z.array(z.string().max(128)) });

/** Runs one summarizer and holds it to its promises: the form, the budget, and citations of items that exist. */
export async function runSummarizer(summarizer: Summarizer, job: SummarizeJob, { signal, bytesMax }: RunOptions): Promise<ThreadAnswer> {
  const config = await readPluginConfig(summarizer, job.config);
  if (!config.fits) return { kind: 'refused', findings: boundFindings(config.findings, { bytesMax }) };

  const { items, budgetTokens } = job;
  const returned = summary.safeParse(await summarizer.summarize({ config: config.value, items, budgetTokens, count: countTokens, signal }));
  if (!returned.success) return refuse('answer_invalid', 'The summarizer did not return { text, citations }.');

  const { text, citations } = returned.data;
  const tokens = countTokens(text);
  if (tokens > budgetTokens) return refuse('budget_exceeded', `The summary has ${tokens} tokens, of ${budgetTokens} allowed.`);
  const known = new Set(items.map(({ citation }) => citation));
  const invented = citations.find((citation) => !known.has(citation));
  if (invented !== undefined) return refuse('citation_unknown', `The summary cites ${invented}, which is not among the items.`);
  return { kind: 'summarized', text, citations };
}

const refuse = (code: string, message: string): ThreadAnswer => ({ kind: 'refused', findings: [{ severity: 'fail', code, message }] });
