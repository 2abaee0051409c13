import type { EventName, RecordedEvent } from '@baton/protocol';
import type { LiveSessions } from '../agent/live-sessions.ts';
import { listCancelledAttempts, listEndedSessions } from '../agent/session.store.ts';
import type { EntityManager } from '../db/orm.ts';
import type { Database } from '../db/transaction.ts';
import { listEvents, listStreams } from '../event/event.store.ts';
import type { Log } from '../log.ts';
import { createLoop, type Loop } from './loop.ts';

export interface SessionNotifierParts {
  readonly db: Database;
  readonly live: LiveSessions;
  readonly pollMs: number;
  readonly log: Log;
}

/** What may concern a session that did not do it itself. */
const names = [
  'agent.lost',
  'agent.deregistered',
  'task.cancelled',
  'task.requeued',
  'task.failed',
  'lock.expired',
] as const satisfies readonly EventName[];

/** How many events one read takes from a stream. */
const pageSize = 200;

/**
 * Tells the sessions whose connections are here what was decided about them elsewhere: by another coordinator, or by whoever
 * came upon a lock that had expired. It follows what has been recorded, from the start of this coordinator on, so that
 * nothing is missed but by who was not connected.
 */
export function createSessionNotifier({ db, live, pollMs, log }: SessionNotifierParts): Loop {
  let places: Map<string, number> | undefined;

  const run = async (): Promise<void> => {
    const em = db.em.fork();
    const streams = await listStreams(em);
    if (places === undefined || live.count === 0) {
      places = new Map(streams.map(({ projectId, lastSeq }) => [projectId, lastSeq]));
      return;
    }
    for (const { projectId, lastSeq } of streams) {
      // A project that has come since has been followed from its first event.
      for (let after = places.get(projectId) ?? 0; after < lastSeq; places.set(projectId, after)) {
        const events = await listEvents(em, { projectId, after, names, limit: pageSize });
        await tellSessions(em, live, events);
        after = events.length < pageSize ? lastSeq : (events.at(-1)?.seq ?? lastSeq);
      }
    }
  };

  const loop = createLoop({ name: 'session notifier', intervalMs: pollMs, log, run });
  db.changes.onChange(({ events, isForeign, locksDue }) => {
    // What this coordinator does it tells at once, but for locks that it finds expired.
    if ((isForeign === true && events === true) || locksDue === true) loop.poke();
  });
  return {
    ...loop,
    start() {
      loop.start();
      loop.poke();
    },
  };
}

async function tellSessions(em: EntityManager, live: LiveSessions, events: readonly RecordedEvent[]): Promise<void> {
  const sessions = live.list();
  const sessionOf = new Map(sessions.map(({ agentId, sessionId }) => [agentId, sessionId]));
  for (const { name, data } of events) {
    if (name === 'lock.expired') {
      const sessionId = sessionOf.get(data.agentId);
      if (sessionId !== undefined) live.notify(sessionId, 'lock/lost', { key: data.key, fence: data.fence, reason: 'expired' });
    } else if ((name === 'task.requeued' || name === 'task.failed') && data.outcome === 'timed_out') {
      const sessionId = sessionOf.get(data.agentId);
      if (sessionId !== undefined) live.revoke(sessionId, { taskId: data.taskId, attempt: data.attempt, reason: 'timed_out' });
    }
  }
  await tellCancelled(em, live, events);
  const over = events.flatMap(({ name, data }) => (name === 'agent.lost' || name === 'agent.deregistered' ? [data.sessionId] : []));
  const here = over.filter((id) => sessions.some(({ sessionId }) => sessionId === id));
  if (here.length > 0) for (const { id, reason } of await listEndedSessions(em, here)) live.end(id, reason);
}

async function tellCancelled(em: EntityManager, live: LiveSessions, events: readonly RecordedEvent[]): Promise<void> {
  const taskIds = events.flatMap(({ name, data }) => (name === 'task.cancelled' ? [data.taskId] : []));
  if (taskIds.length === 0) return;
  const sessionIds = live.list().map(({ sessionId }) => sessionId);
  for (const { sessionId, taskId, attempt, withPhase } of await listCancelledAttempts(em, { taskIds, sessionIds }))
    live.revoke(sessionId, { taskId, attempt, reason: withPhase ? 'phase_closed' : 'cancelled' });
}
