import { z } from 'zod';
import type { MethodDefinition } from './define.ts';
import { errorCatalogue } from './errors.ts';
import { type Components, splitDescription, toJsonSchema } from './json-schema.ts';

/** The OpenRPC document of a method table. */
export function toOpenRpc(methods: Readonly<Record<string, MethodDefinition>>, version: string) {
  const schemas: Components = {};
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

function toMethodObject(name: string, definition: MethodDefinition, schemas: Components) {
  const { summary, access, session, idempotent, params, result, errors, example } = definition;
  return {
    name,
    summary,
    tags: [{ name: name.split(/[/.]/, 1).join('') }],
    paramStructure: 'by-name',
    params: Object.entries(params.shape).map(([field, type]) => ({
      name: field,
      required: !z.safeParse(type, undefined).success,
      ...splitDescription(toJsonSchema(type, schemas)),
    })),
    result: { name: 'result', ...splitDescription(toJsonSchema(result, schemas)) },
    errors: errors.map((kind) => ({ code: errorCatalogue[kind].code, message: errorCatalogue[kind].title, data: { kind } })),
    examples: [
      {
        name,
        params: Object.entries(example.params).map(([field, value]) => ({ name: field, value })),
        result: { name: 'result', value: example.result },
      },
    ],
    'x-access': access,
    'x-session': session,
    'x-idempotent': idempotent,
  };
}
