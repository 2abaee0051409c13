import type { Criterion, JsonValue } from '@baton/sdk/plugin';
import { readPath } from './read-path.ts';

export interface Relaxed {
  /** The criterion with its value moved by the margin. */
  readonly criterion: Criterion;
  /** Why, as a part of a sentence. */
  readonly because: string;
}

/**
 * The criterion as it is for a small sample: with `>` and `>=` value − margin is enough, with `<` and `<=` value + margin is.
 * The margin is the same for every small size: it is a rule that people agree on, not a statistic. Undefined where there is none,
 * where the size of the sample is not below the bound or no number, and for an empty sample, which shows nothing.
 */
export function relax(criterion: Criterion, content: JsonValue): Relaxed | undefined {
  const { op, value, smallSample } = criterion;
  if (smallSample === undefined || typeof value !== 'number') return undefined;
  const { path, below, margin } = smallSample;
  const size = readPath(content, path);
  if (typeof size !== 'number' || size >= below || size <= 0) return undefined;
  const isLowerBound = op === '>' || op === '>=';
  return {
    criterion: { ...criterion, value: toDecimal(isLowerBound ? value - margin : value + margin) },
    because: `${value} ${isLowerBound ? '−' : '+'} ${margin}, because ${path} is ${size}, less than ${below}`,
  };
}

/** As it would be written: 0.7 + 0.1 is 0.8 and not a little less. */
const toDecimal = (value: number): number => Number(value.toPrecision(12));
