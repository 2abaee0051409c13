import { code, link, narrowTable } from './markdown.ts';

/** As much of JSON schema (draft 7) as the contract uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A type in the manner of TypeScript; a named one as a link to where it is described. */
export function typeCell(schema: JsonSchema): string {
  const text = describe(schema);
  const [, name, brackets] = /^([A-Z]\w*)((?:\[\])*)$/.exec(text) ?? [];
  return name === undefined ? code(text) : `${link(code(name), 'types.md', name)}${brackets}`;
}

/** The fields of an object that is sent. What may be left out has a question mark. */
export function fieldTable(schema: JsonSchema, column: string): string {
  const rows = describeFields(schema);
  return rows.length === 0 ? '' : narrowTable([column, 'type', 'limits', 'default', 'meaning'], rows);
}

/** The fields of an object that is received: what it must keep to is the sender's concern. */
export function receivedTable(schema: JsonSchema, column: string): string {
  const rows = describeFields(schema).map(([name = '', type = '', , , meaning = '']) => [name, type, meaning]);
  return rows.length === 0 ? '' : narrowTable([column, 'type', 'meaning'], rows);
}

const describeFields = ({ properties = {}, required = [] }: JsonSchema): string[][] =>
  Object.entries(properties).map(([name, field]) => [
    code(required.includes(name) ? name : `${name}?`),
    typeCell(field),
    describeLimits(field),
    field.default === undefined ? '' : code(JSON.stringify(field.default)),
    field.description ?? '',
  ]);

/** What a value must keep to beside its type, in words. */
export function describeLimits(schema: JsonSchema): string {
  const { pattern, minLength, maxLength, minItems, maxItems } = schema;
  const [minimum, maximum] = [schema.minimum, schema.maximum].map((bound) => (isTelling(bound) ? bound : undefined));
  const limits = [
    describeRange(minimum, maximum),
    describeRange(minLength, maxLength, 'characters'),
    describeRange(minItems, maxItems, 'items'),
  ];
  if (pattern !== undefined && pattern.length <= maxPatternShown) limits.push(code(pattern));
  return limits.filter(Boolean).join(', ');
}

const maxPatternShown = 60;

/** The bounds of what JavaScript counts exactly, and of what the store does, say nothing about a field. */
const isTelling = (bound: number | undefined) =>
  bound !== undefined && Number.isSafeInteger(bound * 2) && bound !== 2 ** 31 - 1 && bound !== -(2 ** 31);

function describeRange(from: number | undefined, to: number | undefined, unit = ''): string {
  const write = (bound: number) => bound.toLocaleString('en-US');
  const range =
    from === undefined
      ? to === undefined
        ? ''
        : `at most ${write(to)}`
      : to === undefined
        ? `at least ${write(from)}`
        : `${write(from)} to ${write(to)}`;
  if (from === 1 && to === undefined && unit !== '') return 'not empty';
  return range === '' ? '' : `${range} ${unit}`.trim();
}

function describe(schema: JsonSchema): string {
  const only = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? schema.$ref;
  if (only !== undefined) return describe(only);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(describe))].join(' | ');
  if (schema.enum !== undefined) return describeEnum(schema.enum);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'array') return describeArray(schema);
  if (schema.type === 'object') return describeObject(schema);
  return typeof schema.type === 'string' ? schema.type : 'any';
}

/** Beyond these a list is no help in a table. */
const maxEnumShown = 12;

function describeEnum(values: readonly unknown[]): string {
  const shown = values.slice(0, maxEnumShown).map((value) => JSON.stringify(value));
  return [...shown, ...(values.length > shown.length ? [`… ${values.length - shown.length} more`] : [])].join(' | ');
}

function describeArray({ items }: JsonSchema): string {
  const item = items === undefined ? 'any' : describe(items);
  return /^\{.*\}$|^[^ |]*$/.test(item) ? `${item}[]` : `(${item})[]`;
}

function describeObject({ properties, required = [] }: JsonSchema): string {
  if (properties === undefined) return 'object';
  const fields = Object.entries(properties).map(([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${describe(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
