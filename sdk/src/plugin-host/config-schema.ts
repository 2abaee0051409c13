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
  // The name in the registry of zod; for JSON Schema it would be an address of old.
  delete jsonSchema.id;
};

interface Definition {
  readonly type: string;
  readonly coerce?: boolean;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}
const defOf = ({ _zod }: z.core.$ZodType): Definition => _zod.def;

/** What it is given is made fit first, whatever that is. */
function takesAll(schema: z.core.$ZodType | undefined): boolean {
  if (schema === undefined) return false;
  const { type, coerce, in: first } = defOf(schema);
  return coerce === true || type === 'catch' || (first !== undefined && defOf(first).type === 'transform');
}
