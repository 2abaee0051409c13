import { posix } from 'node:path';
import { CoordinatorError, type LockMode, type LockRequest } from '@baton/protocol';
import { type Automaton, comparePatterns, compilePattern, stepsMax, stepsUsual } from './lock-pattern.ts';
import { isPattern, literalPattern, parsePattern, refuse } from './pattern-syntax.ts';

/** What a key stands for: one resource, the paths of a pattern, or the members of a range. */
export interface Span {
  readonly key: string;
  readonly space: string;
  readonly resource: string;
  readonly range: Range | undefined;
  /** The resource as a number, where it is one: it may be a member of ranges. */
  readonly number: number | undefined;
  /** Of `file:` keys; made when it is first needed. */
  readonly automaton: () => Automaton;
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** A range is walked member by member to find a free one. */
const membersMax = 10_000;

const numberForm = /^(?:0|[1-9]\d{0,8})$/;
const rangeForm = /^(0|[1-9]\d{0,8})-(0|[1-9]\d{0,8})$/;

export const spaceOf = (key: string): string => key.slice(0, key.indexOf(':'));
const resourceOf = (key: string): string => key.slice(key.indexOf(':') + 1);
export const isFileKey = (key: string): boolean => key.startsWith('file:');

/** Two numbers with a dash between, in every space but that of files. */
function rangeOf(key: string): Range | undefined {
  const match = isFileKey(key) ? null : rangeForm.exec(resourceOf(key));
  return match === null ? undefined : { low: Number(match[1]), high: Number(match[2]) };
}

/** Whether a key stands for several resources, so that keys of another name may meet it. */
export const isWide = (key: string): boolean => (isFileKey(key) ? isPattern(resourceOf(key)) : rangeForm.test(resourceOf(key)));

/**
 * The canonical form of a key, so that two ways of writing one file are one lock.
 * @throws CoordinatorError `lock_key_invalid` with what to write instead
 */
export function normaliseKey(key: string): string {
  if (isFileKey(key)) return `file:${normalisePath(key, resourceOf(key))}`;
  const range = rangeOf(key);
  if (range === undefined) return key;
  const { low, high } = range;
  if (low > high) throw new CoordinatorError('lock_key_invalid', { key, message: `A range runs upwards: ${spaceOf(key)}:${high}-${low}.` });
  if (high - low >= membersMax)
    throw new CoordinatorError('lock_key_invalid', { key, message: `A range has at most ${membersMax} members. Ask for a part of it.` });
  return key;
}

function normalisePath(key: string, path: string): string {
  if (path.startsWith('!')) refuse(path, 'A path does not begin with !. Name what is to be locked, not what is left out.');
  if (/[?*+@!]\(/.test(path)) refuse(path, 'Groups such as @(a|b) are not known. Write {a,b} within a segment.');
  if (isPattern(path)) return parsePattern(path).text;
  const clean = posix.normalize(path.replaceAll('\\', '/')).replace(/(?<=.)\/$/, '');
  if (clean === '.' || clean === '..' || clean.startsWith('../'))
    throw new CoordinatorError('lock_key_invalid', { key, message: 'The path leads out of the project.' });
  return clean;
}

/**
 * Every key leads to one lock, and a range to one for each member that is wanted of it.
 * @throws CoordinatorError `limit_exceeded` where that is more than one want may lead to
 */
export function refuseTooManyGrants(
  requests: readonly Pick<LockRequest, 'key' | 'places'>[],
  { path, lockGrantsMax }: { readonly path: string; readonly lockGrantsMax: number },
): void {
  const value = requests.reduce((sum, { key, places = 1 }) => sum + (rangeOf(key) === undefined ? 1 : places), 0);
  if (value <= lockGrantsMax) return;
  const message = `One request may lead to ${lockGrantsMax} locks, and this leads to ${value}: every member of a range is one. Ask for fewer places.`;
  const facts = { setting: 'lockGrantsMax', limit: lockGrantsMax, value, message };
  throw new CoordinatorError('limit_exceeded', { ...facts, fields: [{ path, message }] });
}

/** The keys of a want in their canonical form, in key order, each once; the stronger mode wins, and the larger number of places. */
export function normaliseRequests(requests: readonly LockRequest[]): LockRequest[] {
  const byKey = new Map<string, { mode: LockMode; places: number }>();
  for (const { key, mode, places = 1 } of requests) {
    const canonical = normaliseKey(key);
    const known = byKey.get(canonical);
    byKey.set(canonical, {
      mode: mode === 'exclusive' || known?.mode === 'exclusive' ? 'exclusive' : 'shared',
      places: Math.max(places, known?.places ?? 1),
    });
  }
  return [...byKey]
    .map(([key, { mode, places }]) => ({ key, mode, ...(places > 1 && { places }) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Reads a key in its canonical form. */
export function readSpan(key: string): Span {
  const resource = resourceOf(key);
  let automaton: Automaton | undefined;
  return {
    key,
    space: spaceOf(key),
    resource,
    range: rangeOf(key),
    number: !isFileKey(key) && numberForm.test(resource) ? Number(resource) : undefined,
    automaton: () => (automaton ??= compilePattern(isPattern(resource) ? parsePattern(resource) : literalPattern(resource))),
  };
}

/** Two patterns of which it could not be told in time whether they meet: they count as meeting, in no path that could be named. */
export const untold = '';

/** The steps that are left for comparing patterns which take more than the usual ones; less after each of them. */
export interface Effort {
  left: number;
}

/** A resource that two keys both stand for, undefined where there is none and `untold` where that could not be told. */
export function findCommon(a: Span, b: Span, effort: Effort = { left: stepsMax }): string | undefined {
  if (a.key === b.key) return a.resource;
  if (a.space !== b.space) return undefined;
  if (a.space === 'file') return isWide(a.key) || isWide(b.key) ? findCommonPath(a, b, effort) : undefined;
  const [left, right] = [membersOf(a), membersOf(b)];
  // Two names that are no ranges are two resources.
  if (left === undefined || right === undefined || (a.range ?? b.range) === undefined) return undefined;
  const low = Math.max(left.low, right.low);
  return low <= Math.min(left.high, right.high) ? String(low) : undefined;
}

function findCommonPath(a: Span, b: Span, effort: Effort): string | undefined {
  const limit = Math.max(stepsUsual, Math.min(stepsMax, effort.left));
  const { path, isDecided, steps } = comparePatterns(a.automaton(), b.automaton(), limit);
  if (steps > stepsUsual) effort.left -= steps;
  return isDecided ? path : untold;
}

const membersOf = ({ range, number }: Span): Range | undefined =>
  range ?? (number === undefined ? undefined : { low: number, high: number });
