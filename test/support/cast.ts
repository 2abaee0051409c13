import { expect } from 'vitest';

/**
 * Who of the examples is who in a running coordinator. Examples name ids that stand for real ones: each is bound to the real one
 * when a result first tells it, and means the same one from then on.
 */
export interface Cast {
  /** An example's value with the real ids in it. */
  toReal<V>(example: V): V;
  /** Fails where the result is not the example: other fields, other values, other kinds of values, or somebody else's id. */
  expectLike(result: unknown, example: unknown): void;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Fields that no two runs agree on. What must be the same in the end is their type. */
const volatile = new Set(['version', 'store', 'survivesPowerLoss', 'explanation', 'digest', 'token']);
const measured = /^(uptime|silence|held|expiresIn|waited|waiting|lockWait|retryIn|duration|runIn)Ms$/;

export function createCast(): Cast {
  const real = new Map<string, string>();

  const bind = (symbol: string, found: unknown, path: string) => {
    expect(found, path).toBeTypeOf('string');
    const earlier = real.get(symbol);
    if (earlier === undefined) {
      expect([...real.values()], `${path} is somebody new`).not.toContain(found);
      real.set(symbol, String(found));
    } else expect(found, path).toBe(earlier);
  };

  function compare(found: unknown, example: unknown, path: string): void {
    const field = path.slice(path.lastIndexOf('.') + 1);
    if (typeof example === 'object' && example !== null) {
      // As JSON has it: a list is a list, and an object has these fields and no others.
      expect(Array.isArray(found), path).toBe(Array.isArray(example));
      expect(Object.keys(found as object).sort(), path).toEqual(Object.keys(example).sort());
      for (const [key, value] of Object.entries(example)) compare((found as Record<string, unknown>)[key], value, `${path}.${key}`);
    } else if (typeof example === 'string' && (uuid.test(example) || field === 'resumeToken')) bind(example, found, path);
    else if (typeof example === 'string' && timestamp.test(example)) expect(found, path).toMatch(timestamp);
    else if ((volatile.has(field) && typeof example === 'string') || measured.test(field))
      expect(found, path).toBeTypeOf(typeof example as 'string');
    else expect(found, path).toBe(example);
  }

  return {
    toReal: (example) => JSON.parse([...real].reduce((text, [symbol, id]) => text.replaceAll(symbol, id), JSON.stringify(example))),
    expectLike: (result, example) => compare(result, example, 'result'),
  };
}
