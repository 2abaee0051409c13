import { type MethodDefinition, type MethodName, methodNames, methods, notifications } from '@baton/protocol';
import { describeType, fieldsOf } from './json-type.ts';
import { code, pageHead, table } from './markdown.ts';

/** The reference of all methods, by noun. */
export function methodsPage(): string {
  const nouns = Map.groupBy(methodNames, (name) => name.split(/[/.]/)[0] ?? name);
  const sections = [...nouns].map(([noun, names]) => [`## ${noun}`, ...names.map(describeMethod)].join('\n\n'));
  return [
    pageHead('Methods', '@baton/protocol'),
    'JSON-RPC 2.0 over WebSocket at `/rpc` and HTTP `POST /rpc`. Parameters are one object. A `?` marks what may be left out.',
    'Every method that changes something takes an `idempotencyKey`: the same key and parameters have one effect and one answer.',
    'Named types are in `openrpc.json` beside this page.\n',
    `${[...sections, notificationsSection()].join('\n\n')}\n`,
  ].join('\n');
}

function describeMethod(name: MethodName): string {
  const definition: MethodDefinition = methods[name];
  const { summary, access, session, idempotent, params, result, errors } = definition;
  const traits = [`access: ${access}`, ...(session ? ['belongs to a session'] : []), ...(idempotent ? ['may be repeated'] : [])];
  const fields = fieldsOf(params).filter(({ name }) => name !== 'idempotencyKey');
  const rows = fields.map(({ name, type, isRequired, byDefault }) => [
    code(isRequired ? name : `${name}?`),
    code(type),
    byDefault === undefined ? '' : code(byDefault),
  ]);
  return [
    `### ${name}\n`,
    `${summary}\n`,
    `*${traits.join(' · ')}*\n`,
    ...(rows.length === 0 ? [] : [`${table(['parameter', 'type', 'default'], rows)}\n`]),
    `Result: ${code(describeType(result))}\n`,
    errors.length === 0
      ? 'Errors: only those of any call.'
      : `Errors: ${errors.map((kind) => `[${code(kind)}](errors.md#${kind})`).join(', ')}`,
  ].join('\n');
}

function notificationsSection(): string {
  const rows = Object.entries(notifications).map(([name, { summary, params }]) => [code(name), summary, code(describeType(params))]);
  return `## Notifications\n\nWhat the coordinator tells a connection unasked.\n\n${table(['name', 'meaning', 'parameters'], rows)}`;
}
