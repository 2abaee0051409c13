import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Named types, each described once. */
export type Components = Record<string, JsonSchema>;

/**
 * The JSON schema (draft 7) of a type. Named types go to `components` once and are referred to. Objects that a caller receives are
 * open to new fields; what no JSON schema describes (any JSON value) is left open as well.
 */
export function toJsonSchema(type: z.core.$ZodType, components: Components): JsonSchema {
  const text = JSON.stringify(z.toJSONSchema(type, { target: 'draft-07', io: 'input', unrepresentable: 'any' }));
  const parsed = JSON.parse(text.replaceAll('"#/definitions/', '"#/components/schemas/')) as JsonSchema & { definitions?: Components };
  const { $schema: _, definitions, ...schema } = parsed;
  Object.assign(components, definitions);
  return schema;
}

/** A schema that only adds a description to a reference, as both: OpenRPC and AsyncAPI have a place for it of their own. */
export function splitDescription({ description, ...schema }: JsonSchema): { readonly description?: string; readonly schema: JsonSchema } {
  const { allOf, ...rest } = schema;
  const [only] = Array.isArray(allOf) && allOf.length === 1 && Object.keys(rest).length === 0 ? (allOf as JsonSchema[]) : [];
  return { ...(typeof description === 'string' && { description }), schema: only ?? schema };
}
