import { methods, toOpenRpc } from '@baton/protocol';
import { describeLimits, fieldTable, type JsonSchema, typeCell } from './json-type.ts';
import { blocks, code, link, pageHead } from './markdown.ts';

/** The reference of all named types. */
export function typesPage(): string {
  const { schemas } = toOpenRpc(methods, '').components;
  const named = Object.entries(schemas as Record<string, JsonSchema>).toSorted(([one], [other]) => one.localeCompare(other));
  return `${blocks(
    pageHead('Types', '@baton/protocol').trimEnd(),
    'The named types of [methods](methods.md) and [events](events.md). A `?` marks what may be absent. Objects that you receive may have more fields in a later version.',
    named.map(([name]) => link(code(name), '', name)).join(' · '),
    ...named.map(([name, schema]) => blocks(`## ${name}`, schema.description ?? '', describeType(schema))),
  )}\n`;
}

function describeType(schema: JsonSchema): string {
  const rows = fieldTable(schema, 'field');
  if (rows !== '') return rows;
  const limits = describeLimits(schema);
  return `${typeCell(schema)}${limits === '' ? '' : `, ${limits}`}`;
}
