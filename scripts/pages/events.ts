import { events, notifications, toAsyncApi } from '@baton/protocol';
import { receivedTable, type JsonSchema } from './json-type.ts';
import { blocks, code, link, pageHead } from './markdown.ts';

/** The reference of what the coordinator tells unasked: notifications, and the events that one of them brings. */
export function eventsPage(): string {
  const { components, operations } = toAsyncApi({ notifications, events }, '');
  const messages = Object.entries(components.messages).map(([key, message]) => ({
    ...message,
    isSent: operations[key]?.action === 'send',
  }));
  const names = Object.keys(events);
  const nouns = [...Map.groupBy(names, (name) => name.split('.', 1).join())];
  return `${blocks(
    pageHead('Events and notifications', '@baton/protocol').trimEnd(),
    intro,
    `- **${link('Notifications', '', 'Notifications')}**: ${messages.map(({ name }) => link(name, '', name)).join(' · ')}`,
    nouns.map(([noun, own]) => `- **${noun}**: ${own.map((name) => link(name.slice(noun.length + 1), '', name)).join(' · ')}`).join('\n'),
    '## Notifications',
    'JSON-RPC notifications: they have no `id`, and nobody answers them.',
    ...messages.map(({ name, summary, payload, isSent }) =>
      blocks(
        `### ${name}`,
        `*${isSent ? 'from the coordinator' : 'to the coordinator'}*`,
        summary,
        receivedTable(propertyOf(payload, 'params'), 'parameter'),
      ),
    ),
    '## Events',
    ...names.map((name) => {
      const schema = components.schemas[name] ?? {};
      return blocks(`### ${name}`, String(schema['description']), receivedTable(propertyOf(schema, 'data'), 'field of `data`'));
    }),
  )}\n`;
}

const intro = `An event is a fact, recorded in the transaction that made it true and numbered 1, 2, 3 … in the stream of its project, without a gap. Read events
with ${link(code('event/list'), 'methods.md', 'event/list')}, follow them with ${link(code('event/subscribe'), 'methods.md', 'event/subscribe')}: they arrive as ${link(code('event/published'), '', 'event/published')}. Each is a
${link(code('RecordedEvent'), 'types.md', 'RecordedEvent')}, and its \`data\` is what is listed here.

For programs all this is in [asyncapi.json](asyncapi.json).`;

const propertyOf = (schema: JsonSchema, name: string): JsonSchema => schema.properties?.[name] ?? {};
