/**
 * Who of the examples is who in a running coordinator. Examples name ids that stand for real ones: each is bound to the real one
 * when a result first tells it, and means the same one from then on.
 */
export interface Cast {
  /** An example's value with the real ids in it. */
  toReal(example: unknown): unknown;
  /** Where a result is not as its example: other fields, other values, other kinds of values, or somebody else's id. */
  compare(result: unknown, example: unknown): readonly string[];
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Fields on which no two runs agree; in all of them the type is the same. */
const volatile =
  /^(version|store|survivesPowerLoss|explanation|digest|narrativeDigest|token|(lease|grace|uptime|silence|held|expiresIn|waited|lockWait|retryIn|duration|age)Ms)$/;

export function createCast(): Cast {
  const real = new Map<string, unknown>();

  function compareIds(found: unknown, symbol: string, path: string): string[] {
    if (typeof found !== 'string') return [`${path} is no id`];
    if (!real.has(symbol) && [...real.values()].includes(found)) return [`${path} is somebody else, who is known already`];
    if (!real.has(symbol)) real.set(symbol, found);
    return real.get(symbol) === found ? [] : [`${path} is somebody else`];
  }

  function compareFields(found: Record<string, unknown>, example: Record<string, unknown>, path: string): string[] {
    return [...new Set([...Object.keys(example), ...Object.keys(found)])].flatMap((key) => {
      if (!Object.hasOwn(found, key)) return [`${path}.${key} is missing`];
      if (!Object.hasOwn(example, key)) return [`${path}.${key} is not in the example`];
      return compare(found[key], example[key], `${path}.${key}`);
    });
  }

  function compare(found: unknown, example: unknown, path: string): string[] {
    const field = path.slice(path.lastIndexOf('.') + 1);
    if (isObject(example) && isObject(found) && Array.isArray(example) === Array.isArray(found)) return compareFields(found, example, path);
    if (typeof example === 'string' && (uuid.test(example) || field === 'resumeToken')) return compareIds(found, example, path);
    const isLike =
      typeof example === 'string' && timestamp.test(example)
        ? typeof found === 'string' && timestamp.test(found)
        : found === example || (typeof found === typeof example && typeof example !== 'object' && isVolatile(field, example));
    return isLike ? [] : [`${path} is ${JSON.stringify(found)}, and ${JSON.stringify(example)} in the example`];
  }

  return {
    toReal: (example) => JSON.parse([...real].reduce((text, [symbol, id]) => text.replaceAll(symbol, String(id)), JSON.stringify(example))),
    compare: (result, example) => compare(result, example, 'result'),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The version of an artifact or a workflow is a number, and always the same; that of the coordinator is a text. */
const isVolatile = (field: string, example: unknown) => volatile.test(field) && !(field === 'version' && typeof example === 'number');
