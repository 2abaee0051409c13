const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a string in a pattern may stand for. */
const wildcards: Readonly<Record<string, (value: unknown) => boolean>> = {
  '<any>': () => true,
  '<string>': (value) => typeof value === 'string',
  '<number>': (value) => typeof value === 'number',
  '<boolean>': (value) => typeof value === 'boolean',
  '<object>': isObject,
  '<array>': Array.isArray,
  '<uuid>': (value) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
};

/** The member of a pattern that allows every other member. */
const rest = '...';

/**
 * Where a value is not what the pattern says, for a person; undefined where it fits. Objects have the members of the pattern
 * and no others; `data` of an error is always allowed, because the specification leaves it to the server.
 */
export function findDifference(pattern: unknown, value: unknown, path = 'the answer'): string | undefined {
  if (typeof pattern === 'string' && Object.hasOwn(wildcards, pattern)) {
    return wildcards[pattern]?.(value) === true ? undefined : `${path} is ${show(value)}, not ${pattern}`;
  }
  if (Array.isArray(pattern)) return Array.isArray(value) ? differenceOfLists(pattern, value, path) : unequal(pattern, value, path);
  if (isObject(pattern)) return isObject(value) ? differenceOfObjects(pattern, value, path) : unequal(pattern, value, path);
  return Object.is(pattern, value) ? undefined : unequal(pattern, value, path);
}

function differenceOfLists(pattern: readonly unknown[], value: readonly unknown[], path: string): string | undefined {
  if (pattern.length !== value.length) return `${path} has ${value.length} items, not ${pattern.length}: ${show(value)}`;
  return firstOf(pattern.keys(), (index) => findDifference(pattern[index], value[index], `${path}[${index}]`));
}

type Members = Readonly<Record<string, unknown>>;

function differenceOfObjects(pattern: Members, value: Members, path: string): string | undefined {
  const wanted = Object.keys(pattern).filter((name) => name !== rest);
  const missing = wanted.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${path} has no member ${missing}: ${show(value)}`;
  const isOptional = (name: string) => name === 'data' && path.endsWith('.error');
  const extra = Object.keys(value).find((name) => !Object.hasOwn(pattern, name) && !isOptional(name));
  if (extra !== undefined && !Object.hasOwn(pattern, rest)) return `${path} has a member ${extra} that should not be there: ${show(value)}`;
  return firstOf(wanted, (name) => findDifference(pattern[name], value[name], `${path}.${name}`));
}

/**
 * Pairs answers with what was expected, in any order; the answers of one batch may come in any order as well.
 * Returns what is wrong, or undefined.
 */
export function findMismatch(patterns: readonly unknown[], answers: readonly unknown[]): string | undefined {
  const left = [...answers];
  for (const pattern of patterns) {
    const found = left.findIndex((answer) => differenceOfFrames(pattern, answer) === undefined);
    if (found < 0) {
      const [only] = left;
      if (left.length === 0) return `no answer came, but ${show(pattern)} should have`;
      return left.length === 1 ? differenceOfFrames(pattern, only) : `no answer is ${show(pattern)}: ${show(left)}`;
    }
    left.splice(found, 1);
  }
  return left.length === 0 ? undefined : `unasked for: ${show(left)}`;
}

function differenceOfFrames(pattern: unknown, answer: unknown): string | undefined {
  if (!Array.isArray(pattern) || !Array.isArray(answer)) return findDifference(pattern, answer);
  return findMismatch(pattern, answer);
}

function firstOf<T>(items: Iterable<T>, find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const unequal = (pattern: unknown, value: unknown, path: string) => `${path} is ${show(value)}, not ${show(pattern)}`;

const shownMax = 300;
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}
