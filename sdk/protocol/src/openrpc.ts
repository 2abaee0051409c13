import { z } from 'zod';
import type { MethodDefinition } from './define.ts';
import { errorCatalogue } from './errors.ts';

type JsonSchema = Record<string, unknown>;

/** The OpenRPC document of a method table. Results are described as callers may receive them: open to new fields. */
export function toOpenRpc(methods: Readonly<Record<string, MethodDefinition>>, version: string) {
  const schemas: Record<string, JsonSchema> = {};
  const methodObjects = Object.entries(methods).map(([name, definition]) => toMethodObject(name, definition, schemas));
  return {
    openrpc: '1.3.2',
    info: {
      title: 'Baton',
      version,
      description: 'The coordinator for teams of software agents. JSON-RPC 2.0 over WebSocket at /rpc and HTTP POST /rpc.',
      license: { name: 'Apache-2.0' },
    },
    methods: methodObjects,
    components: { schemas },
  };
}

function toMethodObject(name: string, definition: MethodDefinition, schemas: Record<string, JsonSchema>) {
  const { summary, access, session, idempotent, params, result, errors } = definition;
  return {
    name,
    summary,
    paramStructure: 'by-name',
    params: Object.entries(params.shape).map(([field, type]) => ({
      name: field,
      required: !z.safeParse(type, undefined).success,
      schema: toSchema(type, schemas),
    })),
    result: { name: 'result', schema: toSchema(result, schemas) },
    errors: errors.map((kind) => ({ code: errorCatalogue[kind].code, message: errorCatalogue[kind].title, data: { kind } })),
    'x-access': access,
    'x-session': session,
    'x-idempotent': idempotent,
  };
}

/**
 * The JSON schema of a type. Named types go to `schemas` once and are referred to, as OpenRPC has it; what no JSON schema
 * describes (any JSON value) is left open.
 */
function toSchema(type: z.core.$ZodType, schemas: Record<string, JsonSchema>): JsonSchema {
  const text = JSON.stringify(z.toJSONSchema(type, { target: 'draft-07', io: 'input', unrepresentable: 'any' }));
  const { $schema: _, definitions, ...schema } = JSON.parse(text.replaceAll('"#/definitions/', '"#/components/schemas/')) as JsonSchema;
  Object.assign(schemas, definitions);
  return schema;
}
