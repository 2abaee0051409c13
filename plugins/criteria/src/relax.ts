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
 * Undefined where there is no margin, or the size of the sample is not below the bound, or is no number.
 */
export function relax(criterion: Criterion, content: JsonValue): Relaxed | undefined {
  const { op, value, smallSample } = criterion;
  if (smallSample === undefined || typeof value !== 'number') return undefined;
  const { path, below, margin } = smallSample;
  const size = readPath(content, path);
  if (typeof size !== 'number' || size >= below) return undefined;
  const isLowerBound = op === '>' || op === '>=';
  return {
    criterion: { ...criterion, value: isLowerBound ? value - margin : value + margin },
    because: `${value} ${isLowerBound ? '−' : '+'} ${margin}, because ${path} is ${size}, less than ${below}`,
  };
}
