import { type EventDefinition, eventNames, events } from '@baton/protocol';
import { fieldsOf } from './json-type.ts';
import { code, pageHead, table } from './markdown.ts';

/** The reference of all events. */
export function eventsPage(): string {
  const sections = eventNames.map((name) => {
    const { summary, data }: EventDefinition = events[name];
    const rows = fieldsOf(data).map(({ name, type, isRequired }) => [code(isRequired ? name : `${name}?`), code(type)]);
    return `## ${name}\n\n${summary}\n\n${table(['field', 'type'], rows)}\n`;
  });
  return [
    pageHead('Events', '@baton/protocol'),
    'Facts, recorded in the transaction that made them true and numbered 1, 2, 3 … in the stream of their project.',
    'Read them with `event/list`, follow them with `event/subscribe`.\n',
    ...sections,
  ].join('\n');
}
