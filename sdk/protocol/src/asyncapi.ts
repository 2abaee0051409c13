import type { EventDefinition, NotificationDefinition } from './define.ts';
import { type Components, type JsonSchema, toJsonSchema } from './json-schema.ts';

export interface AsyncApiParts {
  readonly notifications: Readonly<Record<string, NotificationDefinition>>;
  readonly events: Readonly<Record<string, EventDefinition>>;
}

/** The AsyncAPI document of all that crosses a connection and is no call: what the coordinator tells, and what it is told. */
export function toAsyncApi({ notifications, events }: AsyncApiParts, version: string) {
  const schemas: Components = {};
  const told = Object.entries(notifications).map(([name, definition]) => toMessage(name, definition, schemas));
  // What an event holds depends on its name, which no single schema of ours says: here each has its own.
  Object.assign(schemas, toEventSchemas(events, schemas));
  const messages = Object.fromEntries([...told, cancelRequest].map((message) => [toKey(message.name), message]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Baton',
      version,
      description: 'What the coordinator for teams of software agents tells a connection unasked. Calls and answers are in openrpc.json.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:4766',
        protocol: 'ws',
        description: 'A coordinator as it listens without any settings.',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      rpc: {
        address: '/rpc',
        description: 'A WebSocket with one JSON-RPC 2.0 message in each text frame, both ways.',
        messages: Object.fromEntries(Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }])),
      },
    },
    operations: Object.fromEntries([
      ...told.map(({ name }) => [toKey(name), toOperation('send', name)]),
      [toKey(cancelRequest.name), toOperation('receive', cancelRequest.name)],
    ]),
    components: {
      messages,
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The token, in the Authorization header of the upgrade.' } },
    },
  };
}

/** The one thing that a caller may say without being answered. */
const cancelRequest = {
  name: '$/cancelRequest',
  title: '$/cancelRequest',
  summary: 'Cancels a call that has not been answered. The call is answered all the same, mostly with the error `cancelled`.',
  payload: toNotification('$/cancelRequest', {
    type: 'object',
    properties: { id: { type: ['string', 'number'], description: 'The id of the call.' } },
    required: ['id'],
  }),
};

function toMessage(name: string, { summary, params }: NotificationDefinition, schemas: Components) {
  return { name, title: name, summary, payload: toNotification(name, toJsonSchema(params, schemas)) };
}

/** From the coordinator's side, as AsyncAPI has it: it sends what a connection receives. */
const toOperation = (action: 'send' | 'receive', name: string) => ({
  action,
  channel: { $ref: '#/channels/rpc' },
  messages: [{ $ref: `#/channels/rpc/messages/${toKey(name)}` }],
});

function toNotification(name: string, params: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: { jsonrpc: { const: '2.0' }, method: { const: name }, params },
    required: ['jsonrpc', 'method', 'params'],
  };
}

/** `RecordedEvent` as one of all events, and each of them under its own name. */
function toEventSchemas(events: AsyncApiParts['events'], schemas: Components): Components {
  const recorded = schemas['RecordedEvent'] as { readonly properties: JsonSchema };
  const each = Object.entries(events).map(([name, { summary, data }]): [string, JsonSchema] => [
    name,
    {
      ...recorded,
      description: summary,
      properties: { ...recorded.properties, name: { const: name }, data: toJsonSchema(data, schemas) },
    },
  ]);
  return { ...Object.fromEntries(each), RecordedEvent: { oneOf: each.map(([name]) => ({ $ref: `#/components/schemas/${name}` })) } };
}

/** Keys of an AsyncAPI document hold neither slashes nor dollars. */
const toKey = (name: string) => name.replace('$/', '').replace('/', '.');
