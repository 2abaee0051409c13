import type { NotificationParams } from '@baton/protocol';
import type { Database } from '../db/transaction.ts';
import { listEvents } from '../event/event.store.ts';
import type { Subscription, Subscriptions } from '../event/subscriptions.ts';
import type { Log } from '../log.ts';
import { createLoop, type Loop } from './loop.ts';

export interface EventPublisherParts {
  readonly db: Database;
  readonly subscriptions: Subscriptions;
  readonly pollMs: number;
  readonly log: Log;
}

/** How many events one read takes from a stream. */
const pageSize = 200;

/**
 * Tells subscribers what has been committed, in order and without a gap: each has its own place in its stream, and events are
 * read from the store, never passed along by who recorded them.
 */
export function createEventPublisher({ db, subscriptions, pollMs, log }: EventPublisherParts): Loop {
  const loop = createLoop({
    name: 'event publisher',
    intervalMs: pollMs,
    log,
    async run(signal) {
      let behind = subscriptions.all();
      while (behind.length > 0 && !signal.aborted) behind = await tellAll(db, behind);
    },
  });
  db.changes.onChange(({ events }) => {
    if (events === true) loop.poke();
  });
  subscriptions.onAdd(loop.poke);
  return loop;
}

/** Tells each subscription its next page; returns those that may have more. Followers of one place share a read. */
async function tellAll(db: Database, subscriptions: readonly Subscription[]): Promise<Subscription[]> {
  const places = Map.groupBy(subscriptions, ({ projectId, told, ticketId }) => `${projectId} ${told} ${ticketId ?? ''}`);
  const behind: Subscription[] = [];
  for (const followers of places.values()) {
    const [first] = followers;
    if (first === undefined) continue;
    const events = await listEvents(db.em.fork(), {
      projectId: first.projectId,
      after: first.told,
      ticketId: first.ticketId,
      limit: pageSize,
    });
    const last = events.at(-1);
    if (last === undefined) continue;
    for (const follower of followers) {
      follower.told = last.seq;
      follower.peer.notify('event/published', {
        subscriptionId: follower.id,
        events: events as NotificationParams<'event/published'>['events'],
      });
    }
    if (events.length === pageSize) behind.push(...followers);
  }
  return behind;
}
