import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
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
  let isForeign = false;

  const send = async () => {
    timer = undefined;
    const told = [...pending.values()];
    pending.clear();
    for (const change of told) {
      const payload = JSON.stringify({ from: own, change: shorten(change) });
      await client?.query('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined);
    }
  };

  const off = changes.onChange((change) => {
    if (isForeign || !isNews(change)) return;
    pending.set(change.projectId, merge(pending.get(change.projectId), change));
    timer ??= setTimeout(() => void send(), coalesceMs);
  });

  const hear = (payload: string | undefined) => {
    const { from, change } = JSON.parse(payload ?? '{}') as { from?: string; change?: Change };
    if (from === own || change === undefined) return;
    isForeign = true;
    changes.tell(change);
    isForeign = false;
  };

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString: databaseUrl, application_name: 'baton hints', keepAlive: true });
    next.on('notification', ({ payload }) => hear(payload));
    next.on('error', (error) => log.warn({ err: error }, 'the connection for hints was lost'));
    next.on('end', () => {
      if (!stopping.signal.aborted) void reconnect();
    });
    await next.connect();
    await next.query(`listen ${channel}`);
    client = next;
  };

  const reconnect = async (): Promise<void> => {
    client = undefined;
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

const isNews = ({ events, tasks, locksDue, requestIds = [], ticketIds = [] }: Change): boolean =>
  events === true || tasks === true || locksDue === true || requestIds.length > 0 || ticketIds.length > 0;

const merge = (a: Change | undefined, b: Change): Change => ({
  projectId: b.projectId,
  events: b.events === true || a?.events === true,
  tasks: b.tasks === true || a?.tasks === true,
  locksDue: b.locksDue === true || a?.locksDue === true,
  requestIds: [...(a?.requestIds ?? []), ...(b.requestIds ?? [])],
  ticketIds: [...(a?.ticketIds ?? []), ...(b.ticketIds ?? [])],
});

/** A payload is limited to 8,000 bytes. Who is told of no id looks slowly, and one ticket is enough to look for all. */
const shorten = (change: Change): Change => ({
  ...change,
  requestIds: (change.requestIds ?? []).slice(0, 100),
  ticketIds: (change.ticketIds ?? []).slice(0, 1),
});
