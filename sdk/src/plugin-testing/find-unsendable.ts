/**
 * What a case is made of goes to the plugin as JSON, as a coordinator sends it. Tells where something lies that would arrive as
 * something else; undefined where all of it arrives as it is. A field that is undefined is a field that is not there.
 */
export function findUnsendable(value: unknown, path = '', around: readonly unknown[] = []): string | undefined {
  const here = path === '' ? 'it' : path;
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${here} is ${value}`;
    case 'object':
      break;
    default:
      return `${here} is a ${typeof value}`;
  }
  if (value === null) return undefined;
  if (around.includes(value)) return `${here} holds itself`;
  if (Array.isArray(value)) {
    const hole = value.findIndex((one) => one === undefined);
    if (hole >= 0) return `${path}[${hole}] is undefined`;
    return findFirst(value, (one, index) => findUnsendable(one, `${path}[${index}]`, [...around, value]));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${here} is a ${nameOf(value)}`;
  return findFirst(Object.entries(value), ([name, one]) => findUnsendable(one, path === '' ? name : `${path}.${name}`, [...around, value]));
}

function findFirst<T>(list: readonly T[], look: (one: T, index: number) => string | undefined): string | undefined {
  for (const [index, one] of list.entries()) {
    const found = look(one, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

const nameOf = (value: object): string => value.constructor?.name || 'value of no plain kind';
