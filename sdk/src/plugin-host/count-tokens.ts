import { estimateTokenCount } from 'tokenx';

/** Within 10 % of what language models count, on the safe side. */
export const countTokens = (text: string): number => estimateTokenCount(text);
