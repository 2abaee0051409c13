import { inspect } from 'node:util';

/** What foreign code said, as text of at most that many characters. It can be anything, whatever the types promise. */
export const toText = (value: unknown, charsMax: number): string => (typeof value === 'string' ? value : inspect(value)).slice(0, charsMax);
