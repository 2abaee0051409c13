import type { EventName, RecordedEvent } from '@baton/protocol';
import type { Connection } from '@baton/sdk/connection';
import { createInbox } from './inbox.ts';

type EventOf<N extends EventName> = Extract<RecordedEvent, { name: N }>;

export interface EventFeed {
  readonly seen: readonly RecordedEvent[];
  /** The first event of this name that fits, from where the feed began. */
  waitFor<N extends EventName>(name: N, fits?: (event: EventOf<N>) => boolean): Promise<EventOf<N>>;
}

/** Follows the events of the project: from now on, or after a number. */
export async function followEvents({ client, onNotification }: Connection, { after }: { after?: number } = {}): Promise<EventFeed> {
  const inbox = createInbox<RecordedEvent>(({ seq, name }) => `${seq} ${name}`);
  const published: { subscriptionId: string; events: RecordedEvent[] }[] = [];
  const own: { subscriptionId?: string } = {};
  const take = () => {
    // The first events may arrive before the answer that tells the subscription's id.
    if (own.subscriptionId === undefined) return;
    for (const { subscriptionId, events } of published.splice(0)) {
      if (subscriptionId === own.subscriptionId) for (const event of events) inbox.put(event);
    }
  };
  onNotification('event/published', (told) => {
    published.push(told as (typeof published)[number]);
    take();
  });
  own.subscriptionId = (await client.event.subscribe(after === undefined ? {} : { after })).subscriptionId;
  take();

  const waitFor = <N extends EventName>(name: N, fits: (event: EventOf<N>) => boolean = () => true) =>
    inbox.waitFor((event) => event.name === name && fits(event as EventOf<N>), `the event ${name}`) as Promise<EventOf<N>>;
  return { seen: inbox.items, waitFor };
}
