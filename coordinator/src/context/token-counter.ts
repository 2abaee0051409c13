import { countTokens } from '@baton/sdk/plugin/host';
import { LRUCache } from 'lru-cache';
import { type Config, ConfigError } from '../config.ts';

/** Counts what a language model would be given. A pack names it. */
export interface TokenCounter {
  readonly name: string;
  count(text: string): number;
}

/** Lines are counted again for every pack: an item's line is the same each time. In characters; about 16 MB. */
const keptCharactersMax = 8_000_000;

/** @throws ConfigError where the package of the counter is not installed */
export const openTokenCounter = async (name: Config['tokenCounter']): Promise<TokenCounter> =>
  name === 'tokenx' ? createTokenCounter() : createTokenCounter({ name, count: await loadGptTokenizer() });

/** Counts each text once, unless told otherwise by the estimate of `countTokens`, which says for what it is too low. */
export function createTokenCounter({ name, count }: TokenCounter = { name: 'tokenx', count: countTokens }): TokenCounter {
  const kept = new LRUCache<string, number>({ maxSize: keptCharactersMax, sizeCalculation: (_tokens, text) => text.length + 1 });
  return {
    name,
    count(text) {
      const known = kept.get(text);
      if (known !== undefined) return known;
      const tokens = count(text);
      kept.set(text, tokens);
      return tokens;
    },
  };
}

async function loadGptTokenizer(): Promise<(text: string) => number> {
  const { countTokens } = await import('gpt-tokenizer').catch((cause: unknown) => {
    throw new ConfigError(
      'tokenCounter is gpt-tokenizer, and this package is not installed: `npm install gpt-tokenizer` beside the coordinator.',
      {
        cause,
      },
    );
  });
  // What looks like a control token of the model is text like any other here.
  return (text) => countTokens(text, { disallowedSpecial: new Set() });
}
