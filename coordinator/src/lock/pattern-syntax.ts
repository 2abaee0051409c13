import { CoordinatorError } from '@baton/protocol';
import { type CharSet, complementOf, intersect, oneChar, segmentChars, toCharSet } from './char-set.ts';

export type Token =
  | { readonly kind: 'char'; readonly set: CharSet }
  /** `*`: any number of characters of one segment. */
  | { readonly kind: 'many' }
  | { readonly kind: 'choice'; readonly alternatives: readonly (readonly Token[])[] };

/** `**` is any number of whole segments. */
export type Segment = '**' | readonly Token[];

export interface Pattern {
  /** In its canonical form. */
  readonly text: string;
  readonly isAbsolute: boolean;
  readonly segments: readonly Segment[];
}

/** Two patterns of this size are compared in some ten milliseconds; what people write has a tenth of it. */
const lengthMax = 256;
const manyMax = 24;
const alternativesMax = 64;

export const isPattern = (path: string): boolean => /[*?[{]/.test(path);

/**
 * Reads a pattern of paths: `*`, `?`, `**` as a segment, `[a-z]`, `[!a]` and `{a,b}` within a segment.
 * @throws CoordinatorError `lock_key_invalid` with what to write instead
 */
export function parsePattern(path: string): Pattern {
  if (path.length > lengthMax) refuse(path, `A pattern has at most ${lengthMax} characters. Name a folder with **, or several keys.`);
  if (path.includes('\\')) refuse(path, 'A pattern has no escapes. Write / between segments, and a special character as a class: [*].');
  const isAbsolute = path.startsWith('/');
  const names = path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .filter((name, index, all) => name !== '**' || all[index - 1] !== '**');
  if (names.includes('..')) refuse(path, 'A pattern has no .. segment. Write the path that is meant.');
  const segments = names.map((name): Segment => (name === '**' ? name : createReader(path, name).read()));
  const tokens = segments.flatMap((segment) => (segment === '**' ? [] : flatten(segment)));
  if (tokens.filter(({ kind }) => kind === 'many').length + names.filter((name) => name === '**').length > manyMax)
    refuse(path, `A pattern has at most ${manyMax} times * or **. Ask for several keys.`);
  if (tokens.reduce((sum, token) => sum + (token.kind === 'choice' ? token.alternatives.length : 0), 0) > alternativesMax)
    refuse(path, `A pattern has at most ${alternativesMax} alternatives in braces. Ask for several keys.`);
  return { text: `${isAbsolute ? '/' : ''}${names.join('/')}`, isAbsolute, segments };
}

const flatten = (tokens: readonly Token[]): Token[] =>
  tokens.flatMap((token) => (token.kind === 'choice' ? [token, ...token.alternatives.flatMap(flatten)] : [token]));

/** A path without any pattern, as the pattern that is only this path. */
export const literalPattern = (path: string): Pattern => ({
  text: path,
  isAbsolute: path.startsWith('/'),
  segments: path
    .split('/')
    .filter((name) => name !== '')
    .map((name) => Array.from(name, (char): Token => ({ kind: 'char', set: oneChar(char) }))),
});

/** @throws CoordinatorError `lock_key_invalid` always */
export function refuse(path: string, message: string): never {
  throw new CoordinatorError('lock_key_invalid', { key: `file:${path}`, message });
}

/** Reads one segment from its first character to its last. */
function createReader(path: string, name: string) {
  const chars = Array.from(name);
  let place = 0;

  const readClass = (): Token => {
    const isNegated = chars[place] === '!';
    if (isNegated) place += 1;
    if (chars[place] === '^') refuse(path, 'A class is negated by !, as in [!a].');
    const ranges: [string, string][] = [];
    while (chars[place] !== ']') {
      const from = chars[place];
      if (from === undefined) refuse(path, `${name} has a [ without its ], which both stand in one segment. A [ by itself is written [[].`);
      if (from === '[' && [':', '.', '='].includes(chars[place + 1] ?? ''))
        refuse(path, 'Named classes are not known. Write the range: [a-z].');
      const isRange = chars[place + 1] === '-' && chars[place + 2] !== ']' && chars[place + 2] !== undefined;
      const to = isRange ? (chars[place + 2] ?? from) : from;
      if (to < from) refuse(path, `The range ${from}-${to} runs backwards.`);
      ranges.push([from, to]);
      place += isRange ? 3 : 1;
    }
    place += 1;
    if (ranges.length === 0) refuse(path, 'A class names at least one character: [a-z].');
    const set = toCharSet(ranges);
    return { kind: 'char', set: intersect(isNegated ? complementOf(set) : set, segmentChars) };
  };

  const readBraces = (): Token => {
    const alternatives: Token[][] = [];
    for (;;) {
      alternatives.push(readTokens(true));
      const end = chars[place];
      place += 1;
      if (end === '}') return { kind: 'choice', alternatives };
      if (end === undefined) refuse(path, `${name} has a { without its }, which both stand in one segment. Ask for a key each instead.`);
    }
  };

  const readTokens = (inBraces: boolean): Token[] => {
    const tokens: Token[] = [];
    for (;;) {
      const char = chars[place];
      if (char === undefined || (inBraces && (char === ',' || char === '}'))) return tokens;
      place += 1;
      if (char === '*' && chars[place] === '*') refuse(path, '** stands alone between slashes, as in src/**/a.ts.');
      if (char === '{' && inBraces) refuse(path, 'Braces do not stand in braces. Write all alternatives into one pair.');
      if (char === '*') tokens.push({ kind: 'many' });
      else if (char === '?') tokens.push({ kind: 'char', set: segmentChars });
      else if (char === '[') tokens.push(readClass());
      else if (char === '{') tokens.push(readBraces());
      else tokens.push({ kind: 'char', set: oneChar(char) });
    }
  };

  return { read: () => readTokens(false) };
}
