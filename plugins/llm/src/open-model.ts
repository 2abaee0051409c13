import type { LanguageModel } from 'ai';
import type { ModelChoice } from './config.ts';

type CreateProvider = (options: object) => (model: string) => LanguageModel;

/**
 * The model of a provider, whose package is imported only now. A package of the AI SDK exports one function that creates a
 * provider from its options: `createOpenAI`, `createAnthropic`.
 * @throws Error for an operator to read
 */
export async function openModel({ provider, model, options }: ModelChoice): Promise<LanguageModel> {
  const create = await importCreate(provider);
  // The compatible ones want a name of their own, which shows in nothing but messages.
  return create({ name: provider, ...options })(model);
}

async function importCreate(provider: string): Promise<CreateProvider> {
  const module: Readonly<Record<string, unknown>> = await import(provider).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${provider} cannot be loaded. It has to be installed, and be one that the plugin declares: see its README. ${reason}`,
      {
        cause,
      },
    );
  });
  // Some have two names for one function.
  const creators = new Set(Object.keys(module).flatMap((name) => (/^create[A-Z]/.test(name) ? [module[name]] : [])));
  const [create] = creators;
  if (creators.size !== 1 || typeof create !== 'function')
    throw new TypeError(`${provider} is no provider of the AI SDK: it exports ${creators.size} functions that create one.`);
  return create as CreateProvider;
}
