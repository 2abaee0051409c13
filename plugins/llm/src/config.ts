import { z } from 'zod';

/** Where the configuration of a summarizer comes from, for messages that say what is missing. */
const place = 'the file that BATON_SUMMARIZER_CONFIG_FILE names';

export const llmConfig = z.strictObject({
  /** A package of the AI SDK that this plugin declares, such as `@ai-sdk/openai`. */
  provider: z.string().min(1).optional(),
  /** As the provider calls it. */
  model: z.string().min(1).optional(),
  /** Given to the provider as it is: `baseURL` and what else it knows. */
  options: z.record(z.string(), z.json()).superRefine(refuseSecrets).default({}),
  /** Given to the provider in the same way: `apiKey`, `headers`. What stands here is shown to nobody. */
  secrets: z.record(z.string(), z.json()).default({}),
  /** What the summary is to heed besides, such as its language. */
  instructions: z.string().max(4_000).optional(),
  /** How much of the items the model is given, in tokens. */
  inputTokensMax: z.int().min(500).default(50_000),
  /** How often a call is tried again that failed for a passing reason. */
  retriesMax: z.int().min(0).max(5).default(2),
});
/** What providers take a key by. */
const secretNames = ['apiKey', 'authToken', 'accessToken', 'headers'];

function refuseSecrets(options: Readonly<Record<string, unknown>>, { addIssue }: z.core.$RefinementCtx): void {
  for (const name of secretNames)
    if (Object.hasOwn(options, name)) addIssue({ code: 'custom', path: [name], message: 'is a secret: put it under "secrets".' });
  const { baseURL } = options;
  const { username, password } = new URL(typeof baseURL === 'string' && URL.canParse(baseURL) ? baseURL : 'none:');
  if (username !== '' || password !== '')
    addIssue({
      code: 'custom',
      path: ['baseURL'],
      message: 'has a name or a password in it: leave it out, and put "headers": { "Authorization": "Basic …" } under "secrets".',
    });
}

export type LlmConfig = z.infer<typeof llmConfig>;

export interface ModelChoice {
  readonly provider: string;
  readonly model: string;
  /** Secrets among them. */
  readonly options: LlmConfig['options'];
}

/** @throws Error that names what is missing and where it belongs */
export function chooseModel({ provider, model, options, secrets }: LlmConfig): ModelChoice {
  if (provider === undefined || model === undefined)
    throw new Error(
      `No model is set: ${place} needs "provider" and "model", such as { "provider": "@ai-sdk/openai", "model": "…", "secrets": { "apiKey": "…" } }.`,
    );
  // A server of one's own may ask for no key.
  if (Object.keys(secrets).length === 0 && !Object.hasOwn(options, 'baseURL'))
    throw new Error(`There is no key for ${provider}: ${place} needs "secrets": { "apiKey": "…" }.`);
  return { provider, model, options: { ...options, ...secrets } };
}
