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
      // The ids stay at home: a payload is limited to 8,000 bytes, and who hears of it looks for himself.
      const payload = JSON.stringify({ from: own, change: { ...change, ticketIds: change.ticketIds.slice(0, 1) } });
      await client?.query('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined);
    }
  };

  const off = changes.onChange((change) => {
    if (isForeign || !(change.events || change.tasks || change.locks || change.ticketIds.length > 0)) return;
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

const merge = (a: Change | undefined, b: Change): Change => ({
  projectId: b.projectId,
  events: b.events || (a?.events ?? false),
  tasks: b.tasks || (a?.tasks ?? false),
  locks: b.locks || (a?.locks ?? false),
  ticketIds: [...(a?.ticketIds ?? []), ...b.ticketIds],
});
