import type { JsonObject } from '@baton/protocol';
import { z } from 'zod';
import { configSchemaBytesMax } from '../plugin/index.ts';

type Override = NonNullable<z.core.ToJSONSchemaParams['override']>;

/**
 * The JSON Schema of what a configuration may look like. It refuses nothing that the plugin's own schema takes: what JSON Schema
 * cannot say, or says otherwise, is left to the run. Undefined where there is none, or where it is too large for a manifest.
 */
export function toConfigSchema(config: z.ZodType): JsonObject | undefined {
  try {
    const text = JSON.stringify(z.toJSONSchema(config, { io: 'input', unrepresentable: 'any', override: widen }));
    return Buffer.byteLength(text) > configSchemaBytesMax ? undefined : (JSON.parse(text) as JsonObject);
  } catch {
    return undefined;
  }
}

const widen: Override = ({ zodSchema, jsonSchema }) => {
  const { type, shape = {} } = defOf(zodSchema);
  if (takesAll(zodSchema)) for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword];
  if (jsonSchema.required !== undefined) jsonSchema.required = jsonSchema.required.filter((key) => !takesAll(shape[key]));
  // Its flags are lost, and RE2 has no look-ahead.
  delete jsonSchema.pattern;
  if (type === 'string') delete jsonSchema.allOf;
  if (isOverwritten(zodSchema)) unbind(jsonSchema);
  // zod counts a character beyond U+FFFF as two, JSON Schema as one.
  if ((jsonSchema.minLength ?? 0) > 1) delete jsonSchema.minLength;
  // Whether 0.3 is a multiple of 0.1 depends on how it is computed.
  if (!Number.isInteger(jsonSchema.multipleOf)) delete jsonSchema.multipleOf;
  // The name in the registry of zod; for JSON Schema it would be an address of old.
  delete jsonSchema.id;
};

interface Definition {
  readonly type: string;
  readonly coerce?: boolean;
  readonly in?: z.core.$ZodType;
  readonly checks?: readonly z.core.$ZodCheck[];
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}
const defOf = ({ _zod }: z.core.$ZodType): Definition => _zod.def;

/** What it is given is made fit first, whatever that is. */
function takesAll(schema: z.core.$ZodType | undefined): boolean {
  if (schema === undefined) return false;
  const { type, coerce, in: first } = defOf(schema);
  return coerce === true || type === 'catch' || (first !== undefined && defOf(first).type === 'transform');
}

/** It is trimmed, rounded or changed otherwise before its bounds are looked at: they hold for what comes out. */
const isOverwritten = (schema: z.core.$ZodType): boolean =>
  defOf(schema).checks?.some(({ _zod }) => _zod.def.check === 'overwrite') === true;

function unbind(jsonSchema: z.core.JSONSchema.BaseSchema): void {
  for (const bound of bounds) delete jsonSchema[bound];
  if (jsonSchema.type === 'integer') jsonSchema.type = 'number';
}

const bounds = [
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
] as const;
