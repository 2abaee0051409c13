import { type MethodName, methods } from '@baton/protocol';
import { z } from 'zod';

/** As much of JSON schema as the contract uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** The JSON schema of a method's parameters, as callers write them. */
export const paramsSchema = (method: MethodName): Schema =>
  z.toJSONSchema(methods[method].params, { io: 'input', unrepresentable: 'any' }) as Schema;

/** The schema that a schema stands for. */
export function resolveSchema(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')];
  if (target === undefined) throw new Error(`${schema.$ref} leads nowhere.`);
  return resolveSchema(target, root);
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A place in some parameters, with what the schema says of it, as far as it says something. */
export interface Place {
  readonly path: readonly (string | number)[];
  readonly schema: Schema;
  readonly value: unknown;
}

/** Every place in the value, the whole first. */
export function listPlaces(value: unknown, schema: Schema, root: Schema = schema, path: Place['path'] = []): Place[] {
  const here = resolveSchema(schema, root);
  const inner = (key: string | number, child: unknown, childSchema: Schema | undefined) =>
    listPlaces(child, childSchema ?? {}, root, [...path, key]);
  const below = Array.isArray(value)
    ? value.flatMap((item, index) => inner(index, item, here.items))
    : isObject(value)
      ? Object.entries(value).flatMap(([name, member]) => inner(name, member, here.properties?.[name]))
      : [];
  return [{ path, schema: here, value }, ...below];
}
