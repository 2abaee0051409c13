import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';

test('a connection has no more subscriptions than it may, and one given up makes room', async () => {
  await using daemon = await startDaemon({ config: { subscriptionsMax: 2 } });
  const { event } = daemon.client;
  const [first] = await Promise.all([event.subscribe({}), event.subscribe({})]);

  await expect(event.subscribe({})).rejects.toMatchObject({ kind: 'limit_exceeded' });

  await event.unsubscribe({ subscriptionId: first.subscriptionId });
  await event.subscribe({});
});

test('what a connection held in the coordinator goes with it', async () => {
  await using daemon = await startDaemon();
  const figure = async (name: string) => (await fetchFigures(daemon)).get(name);
  const agents = await Promise.all(Array.from({ length: 20 }, () => daemon.connectAgent()));
  const claims = agents.map((agent) => agent.claim({ max: 1, waitMs: 60_000 }).catch(() => []));
  await Promise.all(agents.map(({ client }) => client.event.subscribe({})));
  await eventually(async () => expect(await figure('baton_claims_parked')).toBe(20));
  expect(await figure('baton_sessions_live')).toBe(20);

  await Promise.all(agents.map((agent) => agent.disconnect()));
  await Promise.all(claims);

  await eventually(async () => {
    const held = await Promise.all(['claims_parked', 'sessions_live', 'calls_in_flight'].map((name) => figure(`baton_${name}`)));
    expect(held).toEqual([0, 0, 0]);
  });
});

describe('a flood of connections, calls, nonsense and guesses', () => {
  interface Flood {
    readonly heaps: readonly number[];
    readonly figures: Readonly<Record<string, number>>;
  }
  const flood = async () => {
    const script = join(import.meta.dirname, '..', 'support', 'fixtures', 'wire-flood.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', '--expose-gc', script]);
    return JSON.parse(stdout) as Flood;
  };
  /** Much less than what came in with one round. */
  const marginBytes = 3 * 1024 * 1024;

  test('is turned away, and leaves nothing in memory', async () => {
    const { heaps, figures } = await flood();

    const reasons = ['call_rate', 'connections_per_token', 'failed_authentications', 'parse_error', 'unauthenticated'];
    expect(reasons.filter((reason) => !(`baton_refusals_total{reason="${reason}"}` in figures))).toEqual([]);
    expect([figures['baton_connections'], figures['baton_calls_in_flight']]).toEqual([0, 0]);
    // The first rounds also fill what is kept on purpose: compiled code, and buffers of the sockets.
    expect(heaps.at(-1)! - heaps[1]!).toBeLessThan(marginBytes);
  });
});
