import { z } from 'zod';

/** Where the configuration of a summarizer comes from, for messages that say what is missing. */
const place = 'the file that BATON_SUMMARIZER_CONFIG_FILE names';

export const llmConfig = z.strictObject({
  /** A package of the AI SDK that this plugin declares, such as `@ai-sdk/openai`. */
  provider: z.string().min(1).optional(),
  /** As the provider calls it. */
  model: z.string().min(1).optional(),
  /** Given to the provider as it is: `apiKey`, `baseURL`, `headers` and what else it knows. */
  options: z.record(z.string(), z.json()).default({}),
  /** What the summary is to heed besides, such as its language. */
  instructions: z.string().max(4_000).optional(),
  /** How much of the items the model is given, in tokens. */
  inputTokensMax: z.int().min(500).default(50_000),
  /** How often a call is tried again that failed for a passing reason. */
  retriesMax: z.int().min(0).max(5).default(2),
});
export type LlmConfig = z.infer<typeof llmConfig>;

export interface ModelChoice {
  readonly provider: string;
  readonly model: string;
  readonly options: LlmConfig['options'];
}

/** @throws Error that names what is missing and where it belongs */
export function chooseModel({ provider, model, options }: LlmConfig): ModelChoice {
  if (provider === undefined || model === undefined)
    throw new Error(
      `No model is set: ${place} needs "provider" and "model", such as { "provider": "@ai-sdk/openai", "model": "…", "options": { "apiKey": "…" } }.`,
    );
  // A server of one's own may ask for no key; what it is called in other providers is theirs to say.
  const hasKey = ['apiKey', 'authToken', 'headers', 'baseURL'].some((name) => Object.hasOwn(options, name));
  if (!hasKey) throw new Error(`There is no key for ${provider}: ${place} needs "options": { "apiKey": "…" }.`);
  return { provider, model, options };
}
