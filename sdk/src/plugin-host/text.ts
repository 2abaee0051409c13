import { inspect } from 'node:util';
import { cutText, toStorable } from '../connection/storable-text.ts';

/** What foreign code said, as text of at most that many characters that a database stores. It can be anything, whatever the types promise. */
export const toText = (value: unknown, charsMax: number): string =>
  toStorable(cutText(typeof value === 'string' ? value : inspect(value), charsMax));
