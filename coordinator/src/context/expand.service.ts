import type { ContextReference, ExpandedContextItem, RecordedEvent } from '@baton/protocol';
import { listArtifactsByDigest } from '../artifact/artifact.store.ts';
import type { EntityManager } from '../db/orm.ts';
import { findEvents } from '../event/event.store.ts';
import { findTasks } from '../task/task.store.ts';
import { findItems, getItem, listSuperseded } from './context.store.ts';

/** How many items that it took the place of are told. */
const supersededMax = 100;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An item with what it refers to, as far as it is of the same ticket. */
export async function expandItem(
  em: EntityManager,
  { projectId, ticketId, citation }: { readonly projectId: string; readonly ticketId: string; readonly citation: string },
): Promise<ExpandedContextItem> {
  const item = await getItem(em, ticketId, citation);
  const { references, taskId, superseded } = item;
  const valuesOf = (wanted: ContextReference['kind']) => references.filter(({ kind }) => kind === wanted).map(({ value }) => value);

  const artifacts = await listArtifactsByDigest(em, ticketId, valuesOf('artifact'));
  const taskIds = valuesOf('task').filter((value) => uuid.test(value));
  const found = await findTasks(em, projectId, [...taskIds, ...(taskId === undefined ? [] : [taskId])]);
  const tasks = found.filter((task) => task.ticketId === ticketId);
  const events = await findEvents(
    em,
    ticketId,
    valuesOf('event')
      .filter((value) => /^\d{1,15}$/.test(value))
      .map(Number),
  );
  const cited = [...valuesOf('item'), ...(superseded?.by === undefined ? [] : [superseded.by])].filter((value) =>
    /^c:\d{1,9}$/.test(value),
  );
  const items = [...(await findItems(em, ticketId, cited)), ...(await listSuperseded(em, item.id, supersededMax))];

  const isResolved = ({ kind, value }: ContextReference): boolean => {
    switch (kind) {
      case 'artifact':
        return artifacts.some(({ sha256 }) => sha256 === value);
      case 'task':
        return tasks.some(({ id }) => id === value);
      case 'event':
        return events.some(({ seq }) => String(seq) === value);
      case 'item':
        return items.some(({ citation }) => citation === value);
      case 'file':
        return false;
      default:
        return kind satisfies never;
    }
  };
  const own = tasks.find(({ id }) => id === taskId);
  return {
    item,
    ...(own !== undefined && { task: own }),
    artifacts,
    tasks: tasks.filter(({ id }) => taskIds.includes(id)),
    events: events.map(toExpandedEvent),
    items,
    unresolved: references.filter((reference) => !isResolved(reference)),
  };
}

const toExpandedEvent = ({ seq, name, at, data }: RecordedEvent): ExpandedContextItem['events'][number] => ({
  seq,
  name,
  at,
  data: data as unknown as ExpandedContextItem['events'][number]['data'],
});
