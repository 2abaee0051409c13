import { z } from 'zod';

/** What a type is called in the reference pages: short, in the manner of TypeScript. */
export function describeType(type: z.core.$ZodType): string {
  const schema = z.toJSONSchema(type, { target: 'draft-07', io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return describe(schema, schema.definitions ?? {});
}

/** One field of an object type. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly byDefault: string | undefined;
}

/** The fields of an object type, in the order of its definition. */
export function fieldsOf(type: z.ZodObject): Field[] {
  const schema = z.toJSONSchema(type, { target: 'draft-07', io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    type: describe(property, schema.definitions ?? {}),
    isRequired: schema.required?.includes(name) ?? false,
    byDefault: property.default === undefined ? undefined : JSON.stringify(property.default),
  }));
}

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly default?: unknown;
  readonly format?: string;
}

type Definitions = Readonly<Record<string, JsonSchema>>;

function describe(schema: JsonSchema, definitions: Definitions): string {
  if (schema.$ref !== undefined) return describeReference(schema.$ref, definitions);
  if (schema.allOf?.length === 1 && schema.allOf[0] !== undefined) return describe(schema.allOf[0], definitions);
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((part) => describe(part, definitions)))].join(' | ');
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'array') return describeArray(schema, definitions);
  if (schema.type === 'object') return describeObject(schema, definitions);
  return typeof schema.type === 'string' ? schema.type : 'any';
}

/** A named type by its name, unless it is only a string or number with a rule. */
function describeReference(reference: string, definitions: Definitions): string {
  const name = reference.split('/').at(-1) ?? reference;
  const target = definitions[name];
  // Names that zod makes up for what it met twice mean nothing to a reader.
  return target !== undefined && name.startsWith('__schema') ? describe(target, definitions) : name;
}

function describeArray(schema: JsonSchema, definitions: Definitions): string {
  const item = schema.items === undefined ? 'any' : describe(schema.items, definitions);
  return /[ |]/.test(item) ? `(${item})[]` : `${item}[]`;
}

function describeObject(schema: JsonSchema, definitions: Definitions): string {
  if (schema.properties === undefined) return 'object';
  const fields = Object.entries(schema.properties).map(
    ([name, property]) => `${name}${schema.required?.includes(name) === true ? '' : '?'}: ${describe(property, definitions)}`,
  );
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
