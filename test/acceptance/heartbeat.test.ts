import '../support/leaks.ts';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskDetails } from '@baton/protocol';
import { createTestFolder } from '../support/database.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { type FixtureAgent, openFixtureAgent, startFixtureProcess } from '../support/fixture-agent.ts';
import { fetchFigures } from '../support/figures.ts';
import { observeSessions } from '../support/session-observer.ts';
import { openWay } from '../support/way.ts';
import { createTicketIn } from '../support/work.ts';

const heartbeatMs = 300;
let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs, sweepMs: 200 } });
});
afterAll(() => daemon.stop());

/** How many beats the coordinator has answered so. */
const beatsAnswered = async (outcome: string) =>
  (await fetchFigures(daemon)).get(`baton_calls_total{method="agent/heartbeat",outcome="${outcome}"}`) ?? 0;

const beatsOf = ({ activities }: Pick<FixtureAgent, 'activities'>) => activities.items.filter(({ kind }) => kind === 'beat').length;
const untilBeats = (agent: Pick<FixtureAgent, 'activities'>, count: number) =>
  eventually(() => expect(beatsOf(agent)).toBeGreaterThanOrEqual(count));

async function submit(type: string, input = {}, { client }: Daemon = daemon): Promise<string> {
  const ticket = await createTicketIn(client, 'TESTING');
  return (await client.task.submit({ ticketId: ticket.id, tasks: [{ type, input }] })).tasks[0]!.id;
}

const untilState = (taskId: string, state: TaskDetails['state'], { client }: Daemon = daemon) =>
  eventually(async () => {
    const task = await client.task.get({ taskId });
    expect(task).toMatchObject({ state });
    return task;
  });

test('HM1 the heart of an agent beats from its registration on, without a task', async () => {
  const before = await beatsAnswered('ok');
  await using agent = await openFixtureAgent(daemon);

  await untilBeats(agent, 1);

  expect(await beatsAnswered('ok')).toBeGreaterThan(before);
});

test('HM2 the heart of an agent that has left beats no more, and another goes on', async () => {
  await using other = await openFixtureAgent(daemon);
  const agent = await openFixtureAgent(daemon);
  await untilBeats(agent, 1);

  agent.drain();
  await agent.ended;
  const [left, heard] = [beatsOf(agent), beatsOf(other)];
  await untilBeats(other, heard + 3);

  expect(beatsOf(agent)).toBe(left);
  expect(await beatsAnswered('session_unknown')).toBe(0);
});

test('HM3 the heart survives beats that are refused', async () => {
  await using folder = await createTestFolder();
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, daemon.token);
  await using agent = await openFixtureAgent(daemon, { tokenFile });

  await writeFile(tokenFile, 'not-a-token-of-this-coordinator');
  await agent.lines.waitFor((line) => line.startsWith('a heartbeat failed'), 'a refused beat');
  await writeFile(tokenFile, await readFile(daemon.tokenFile, 'utf8'));
  await untilBeats(agent, beatsOf(agent) + 3);

  expect(agent.activities.items.filter(({ kind }) => kind === 'registered')).toHaveLength(1);
});

test('HM3 the heart survives the end of its thread', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<Worker>();
  const onWorker = (message: unknown) => resolve((message as { readonly worker: Worker }).worker);
  subscribe('worker_threads', onWorker);
  await using agent = await openFixtureAgent(daemon);
  unsubscribe('worker_threads', onWorker);
  await untilBeats(agent, 1);

  await (await begun).terminate();

  await untilBeats(agent, beatsOf(agent) + 2);
  expect(agent.activities.items.filter(({ kind }) => kind === 'registered')).toHaveLength(1);
});

test('HM4 the heart survives a lost connection, and the session goes on', async () => {
  await using way = await openWay(daemon.url);
  await using agent = await openFixtureAgent({ ...daemon, url: way.url });
  await untilBeats(agent, 1);

  way.close();
  await agent.lines.waitFor((line) => line.startsWith('a heartbeat failed'), 'a beat that finds no way');
  way.open();
  await agent.lines.waitFor((line) => line.includes('the session goes on'), 'the session to be taken up');

  await untilBeats(agent, beatsOf(agent) + 2);
});

test('HM5 two intervals make two beats', async () => {
  const beganAt = performance.now();
  await using agent = await openFixtureAgent(daemon);

  await untilBeats(agent, 2);
  const passedMs = performance.now() - beganAt;

  expect(passedMs).toBeGreaterThan(2 * heartbeatMs - 10);
  expect(beatsOf(agent)).toBeLessThanOrEqual(Math.ceil(passedMs / heartbeatMs));
});

test('HM6 the heart beats while a task blocks the thread of the agent beyond the end of its lease, and tells how late it is', async () => {
  await using folder = await createTestFolder();
  const untilFile = join(folder.path, 'enough');
  await using patient = await startDaemon({ config: { heartbeatMs, leaseMs: 60_000, sweepMs: 200 } });
  await using observer = await observeSessions(patient.databaseUrl!);
  await using _agent = startFixtureProcess(patient);
  const taskId = await submit('doze-and-spin-inline', { dozeMs: 100, spinMs: 100_000, untilFile }, patient);
  // The thread is blocked until the test has seen enough: its lag only grows meanwhile.
  const untilBeat = (lagMs: number) =>
    eventually(async () => {
      const { rows } = await observer.client.query<{ lagMs: number; ageMs: number; hasLease: boolean }>(
        `select s.event_loop_lag_ms as "lagMs", s.lease_until > clock_timestamp() as "hasLease",
           (extract(epoch from clock_timestamp() - t.started_at) * 1000)::float8 as "ageMs"
         from sessions s join tasks t on t.session_id = s.id where t.id = $1`,
        [taskId],
      );
      expect(rows[0]).toMatchObject({ hasLease: true });
      expect(rows[0]!.lagMs).toBeGreaterThan(lagMs);
      return rows[0]!;
    });

  const blocked = await untilBeat(2 * heartbeatMs);
  await observer.client.query('update sessions set lease_until = clock_timestamp()');
  const renewed = await untilBeat(blocked.lagMs);
  await writeFile(untilFile, '');
  const task = await untilState(taskId, 'completed', patient);

  expect(renewed.lagMs).toBeLessThanOrEqual(renewed.ageMs);
  expect(task.attempts).toMatchObject([{ outcome: 'completed' }]);
});

test('what an agent is given while its thread is blocked is not given to others, however many beats that takes', async () => {
  await using agent = startFixtureProcess(daemon, { env: { BATON_LOG_LEVEL: 'debug' } });
  const first = await submit('doze-and-spin-inline', { dozeMs: 500, spinMs: 10 * heartbeatMs });
  await agent.lines.waitFor((line) => line.includes('spinning'), 'the thread to be blocked');

  const second = await submit('add', { a: 1, b: 2 });
  const [{ attempts: spun }, { attempts: added }] = [await untilState(first, 'completed'), await untilState(second, 'completed')];

  expect([spun, added]).toMatchObject([[{ outcome: 'completed' }], [{ outcome: 'completed' }]]);
});
