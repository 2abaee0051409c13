import { isDeepStrictEqual } from 'node:util';
import type { Criterion, JsonValue } from '@baton/sdk/plugin';
import { RE2JS } from 're2js';

type Comparison = (found: JsonValue, wanted: JsonValue | undefined) => boolean | string;

/** For each operator whether it holds, or a text that says why the two cannot be compared. */
const comparisons = {
  '==': isDeepStrictEqual,
  '!=': (found, wanted) => !isDeepStrictEqual(found, wanted),
  '>': order((found, wanted) => found > wanted),
  '>=': order((found, wanted) => found >= wanted),
  '<': order((found, wanted) => found < wanted),
  '<=': order((found, wanted) => found <= wanted),
  contains: (found, wanted) => contains(found, [wanted]),
  containsAll: (found, wanted) => (isList(wanted) ? contains(found, wanted) : 'the criterion has no list to look for'),
  matches,
  exists: (_, wanted) => wanted !== false,
} as const satisfies Record<Criterion['op'], Comparison>;

/**
 * Undefined when the criterion holds. Otherwise why not: an empty text where the two values say it all.
 * What is missing or null has nothing to show and fulfils nothing, unless that is what is wanted.
 */
export function compare({ op, value }: Pick<Criterion, 'op' | 'value'>, found: JsonValue | undefined): string | undefined {
  if (op !== 'exists' && value === undefined) return 'the criterion has no value to compare with';
  if (found === undefined || found === null) {
    const isWanted = op === 'exists' ? value === false : op === '==' && found === null && value === null;
    return isWanted ? undefined : '';
  }
  const holds = comparisons[op](found, value);
  if (typeof holds === 'string') return holds;
  return holds ? undefined : '';
}

function order(holds: (found: number, wanted: number) => boolean): Comparison {
  return (found, wanted) => {
    if (typeof wanted !== 'number') return 'the criterion has no number to compare with';
    return typeof found === 'number' ? holds(found, wanted) : 'it is not a number';
  };
}

/** A text contains its parts, a list its elements, an object the names of its fields. */
function contains(found: JsonValue, wanted: readonly (JsonValue | undefined)[]): boolean | string {
  if (isList(found)) return wanted.every((one) => found.some((element) => isDeepStrictEqual(element, one)));
  if (typeof found === 'string') return wanted.every((one) => typeof one === 'string' && found.includes(one));
  if (typeof found === 'object' && found !== null) return wanted.every((one) => typeof one === 'string' && Object.hasOwn(found, one));
  return 'it is neither a text nor a list nor an object';
}

function matches(found: JsonValue, wanted: JsonValue | undefined): boolean | string {
  if (typeof wanted !== 'string') return 'the criterion has no pattern';
  if (typeof found !== 'string') return 'it is not a text';
  try {
    // RE2 takes a time that grows with the text alone. What is judged was written by those who want to pass.
    return RE2JS.compile(RE2JS.translateRegExp(wanted)).test(found);
  } catch (error) {
    return `the pattern is wrong: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);
