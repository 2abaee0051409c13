import type { JsonValue } from '@baton/sdk/plugin';

/**
 * Follows names and indices with dots between them, such as `suites.0.failed`. Own properties only, so that nothing is found
 * that the content does not hold; `length` is one of every text and list. Undefined where the path leads nowhere.
 */
export function readPath(content: JsonValue, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = content;
  for (const name of path.split('.')) value = readProperty(value, name);
  return value;
}

function readProperty(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value === 'string') return name === 'length' ? value.length : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, JsonValue>>)[name];
}
