import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import type { Log } from '../log.ts';
import type { Change, Changes } from './changes.ts';

export interface ListenParts {
  readonly databaseUrl: string;
  readonly changes: Changes;
  readonly log: Pick<Log, 'warn'>;
}

const channel = 'baton_changes';
/** Hints are coalesced: everything that changes within this time is told to the other coordinators at once. */
const coalesceMs = 20;
const reconnectMs = 1_000;
/** How long a database may take to answer before the connection is given up. */
const answerMs = 10_000;

/** What one coordinator tells another. Anybody with access to the database may write to the channel. */
const hint = z.object({
  from: z.string(),
  change: z.object({
    projectId: z.string(),
    events: z.boolean().exactOptional(),
    tasks: z.boolean().exactOptional(),
    requestIds: z.array(z.string()).exactOptional(),
    locksDue: z.boolean().exactOptional(),
    tickets: z.boolean().exactOptional(),
  }),
});

/**
 * Shares hints with the other coordinators of a database, over one connection of its own. NOTIFY inside the transactions
 * that cause them would take a lock at every commit; a hint that is lost costs no more than the slow look behind it.
 */
export async function startListening({ databaseUrl, changes, log }: ListenParts): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  const own = crypto.randomUUID();
  const pending = new Map<string, Change>();
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  const send = async () => {
    const told = [...pending.values()];
    pending.clear();
    for (const change of told) {
      const payload = JSON.stringify({ from: own, change: shorten(change) });
      await client?.query('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined);
    }
    // What has come meanwhile; one statement at a time on the one connection.
    timer = pending.size > 0 && !stopping.signal.aborted ? setTimeout(() => void send(), coalesceMs) : undefined;
  };

  const off = changes.onChange((change) => {
    if (change.isForeign === true || !isNews(change)) return;
    pending.set(change.projectId, merge(pending.get(change.projectId), change));
    timer ??= setTimeout(() => void send(), coalesceMs);
  });

  const hear = (payload: string | undefined) => {
    const heard = hint.safeParse(parseJson(payload));
    if (heard.success && heard.data.from !== own) changes.tell({ ...heard.data.change, isForeign: true });
  };

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'baton hints',
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
    });
    next.on('notification', ({ payload }) => hear(payload));
    next.on('error', (error) => log.warn({ err: error }, 'the connection for hints was lost'));
    const giveUp = () => void next.end().catch(() => undefined);
    stopping.signal.addEventListener('abort', giveUp, { once: true });
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
      stopping.signal.throwIfAborted();
    } catch (error) {
      giveUp();
      throw error;
    } finally {
      stopping.signal.removeEventListener('abort', giveUp);
    }
    client = next;
    // Only now: the end of a connection that never came to be is the business of whoever tried.
    next.once('end', () => {
      client = undefined;
      if (!stopping.signal.aborted) void reconnect();
    });
  };

  const reconnect = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await sleep(reconnectMs * (0.5 + Math.random()), undefined, { signal: stopping.signal });
        return await connect();
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'no connection for hints; polling goes on');
      }
    }
  };

  await connect();
  return {
    async stop() {
      stopping.abort();
      off();
      clearTimeout(timer);
      await client?.end();
    },
  };
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

const isNews = ({ events, tasks, locksDue, tickets, requestIds = [] }: Change): boolean =>
  events === true || tasks === true || locksDue === true || tickets === true || requestIds.length > 0;

const merge = (a: Change | undefined, b: Change): Change => ({
  projectId: b.projectId,
  events: b.events === true || a?.events === true,
  tasks: b.tasks === true || a?.tasks === true,
  locksDue: b.locksDue === true || a?.locksDue === true,
  requestIds: [...(a?.requestIds ?? []), ...(b.requestIds ?? [])],
  tickets: b.tickets === true || a?.tickets === true,
});

/** A payload is limited to 8,000 bytes, and an id takes 39. What is left out is found by the slow look. */
const shorten = (change: Change): Change => ({
  ...change,
  requestIds: (change.requestIds ?? []).slice(0, 100),
});
