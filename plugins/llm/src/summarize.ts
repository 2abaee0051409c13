import { byNeed, type ContextItem, type SummarizeInput, type Summary } from '@baton/sdk/plugin';
import type { LanguageModel } from 'ai';
import { askModel } from './ask-model.ts';
import { compose } from './compose.ts';
import type { LlmConfig } from './config.ts';

/** Asks a model once and makes a summary of what it says. */
export async function summarizeWith(
  model: LanguageModel,
  { config, items, budgetTokens, count, signal }: SummarizeInput<LlmConfig>,
): Promise<Summary> {
  if (items.length === 0) return { text: '', citations: [] };
  const { instructions, retriesMax, inputTokensMax } = config;
  const given = fit(items, { tokensMax: inputTokensMax, count });
  const statements = await askModel(model, { items: given, budgetTokens, instructions, retriesMax, signal });
  return compose(statements, { items, budgetTokens, count });
}

/** As much as a model is given, in the order of the items. */
function fit(items: readonly ContextItem[], { tokensMax, count }: { tokensMax: number; count(text: string): number }): ContextItem[] {
  const chosen = new Set<ContextItem>();
  let left = tokensMax;
  for (const item of byNeed(items)) {
    left -= count(JSON.stringify([item.citation, item.kind, item.text, item.rationale]));
    if (left < 0) break;
    chosen.add(item);
  }
  return items.filter((item) => chosen.has(item));
}
