import { isObject, listPlaces, type Place, type Schema } from './schema.ts';
import { isSymbol } from './valid-params.ts';

/** What is done to valid parameters, in one place of them. */
export const breakages = ['nothing', 'missing', 'extra', 'type', 'boundary', 'huge', 'foreign', 'text'] as const;
export type Breakage = (typeof breakages)[number];

export interface BreakChoice {
  readonly breakage: Breakage;
  /** Which of the places that can be broken so. */
  readonly place: number;
  /** Which of the ways to do it. */
  readonly way: number;
}

/** The parameters with one thing broken; as they were where there is nothing to break in this way. */
export function breakParams(params: unknown, schema: Schema, { breakage, place, way }: BreakChoice): unknown {
  const places = listPlaces(params, schema);
  // The first place from there on, because making all that could stand in all of them takes longer than the call.
  for (let passed = 0; passed < places.length; passed++) {
    const at = places[(place + passed) % places.length]!;
    const values = waysToBreak[breakage](at);
    if (values.length > 0) return replaceAt(params, at.path, pick(values, way));
  }
  return params;
}

const gone = Symbol('gone');
const nobody = '00000000-0000-4000-8000-000000000000';

/** For a place, the values that may take its place. */
const waysToBreak: Readonly<Record<Breakage, (place: Place) => readonly unknown[]>> = {
  nothing: () => [],
  missing: ({ path }) => (path.length > 0 ? [gone] : []),
  extra: ({ value }) =>
    isObject(value) ? ['more', 'id', 'projectId', 'role', '__proto__', 'constructor'].map((name) => withMember(value, name)) : [],
  type: ({ value }) => [null, true, 7, 'text', [], {}, [[]], { a: 1 }, -1.5].filter((other) => kindOf(other) !== kindOf(value)),
  boundary: ({ schema, value, path }) => (path.at(-1) === 'waitMs' ? [-1, 60_001, 0.5] : boundariesOf(schema, value)),
  huge: ({ value }) => {
    if (typeof value === 'string') return ['x'.repeat(100_000)];
    if (typeof value === 'number') return [1e308, 2 ** 53, -(2 ** 53), 2 ** 31, 2 ** 63];
    if (Array.isArray(value)) return [crowd((value as readonly unknown[])[0] ?? 0)];
    return [Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`member${index}`, index])), deep(40), deep(20)];
  },
  foreign: ({ value, schema }) => {
    if (isSymbol(value) && value !== '@attempt') return [...strangers(value), nobody, nobody.replaceAll('0', 'f'), 'no id at all'];
    return schema.format === 'uuid' ? [nobody, '@foreignTicket', '@ticket'] : [];
  },
  text: ({ value }) => (typeof value === 'string' ? nastyTexts : []),
};

/** More than any list takes, in a frame that is not too large to be read at all. */
const crowd = (item: unknown) => Array.from({ length: Math.min(10_001, Math.ceil(1_000_000 / JSON.stringify(item).length)) }, () => item);

/** Things of another project; and things of our own that are of another kind. */
function strangers(symbol: string): readonly string[] {
  const foreign = `@foreign${symbol.slice(1, 2).toUpperCase()}${symbol.slice(2)}`;
  return [...(isSymbol(foreign) ? [foreign] : ['@foreignTask']), '@ticket', '@agent'];
}

const nastyTexts = [
  '',
  ' ',
  'a\u0000b',
  '\ud83d',
  '\ude00x',
  '\u202e\u0000',
  "'; drop table tickets; --",
  '%s%n\\x00',
  '{{ tasks.first.output }}',
  '{{ ticket.title }}',
  '{{',
  '../../etc/passwd',
  '\n',
  'NaN',
  '🧵'.repeat(100),
  '__proto__',
  'port:\u00a0',
  '@task',
];

function boundariesOf({ type, minimum, maximum, minLength, maxLength, minItems, maxItems }: Schema, value: unknown): readonly unknown[] {
  switch (type) {
    case 'integer':
    case 'number':
      return [minimum, maximum].flatMap((limit) => (limit === undefined ? [] : [limit, limit - 1, limit + 1])).concat(0, -1, 0.5, -0);
    case 'string':
      return [minLength, maxLength].flatMap((limit) =>
        limit === undefined ? [] : [Math.max(limit - 1, 0), limit, limit + 1].map((length) => 'a'.repeat(length)).concat(manyBytes(limit)),
      );
    case 'array': {
      const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
      return [minItems, maxItems].flatMap((limit) =>
        limit === undefined || limit > 1_000 ? [] : [Math.max(limit - 1, 0), limit, limit + 1].map((length) => fill(items, length)),
      );
    }
    case undefined:
    default:
      return [];
  }
}

/** Three bytes for each character, in an order that no database packs well. */
const manyBytes = (length: number): string =>
  Array.from({ length }, (_, index) => String.fromCharCode(0x4e00 + ((index * index * 7_919 + index * 104_729) % 20_000))).join('');

const fill = (items: readonly unknown[], length: number) =>
  Array.from({ length }, (_, index) => items[index % Math.max(items.length, 1)] ?? 'a');

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

const kindOf = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);

const pick = (values: readonly unknown[], way: number): unknown => values[way % values.length];

// Assigned, __proto__ would be no member.
const withMember = (value: object, name: string): object => Object.fromEntries([...Object.entries(value), [name, 1]]);

function replaceAt(value: unknown, [key, ...rest]: Place['path'], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const change = (inner: unknown) => (rest.length === 0 ? replacement : replaceAt(inner, rest, replacement));
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      const changed = index === key ? change(item) : item;
      return changed === gone ? [] : [changed];
    });
  }
  return Object.fromEntries(
    Object.entries(value as object).flatMap(([name, member]: [string, unknown]) => {
      const changed = name === key ? change(member) : member;
      return changed === gone ? [] : [[name, changed]];
    }),
  );
}
