import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { type Bench, setUpBench } from '../support/work.ts';

let daemon: Daemon;
// What others do is seen from outside the transaction that holds them up.
let holder: Client;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs: 100, sweepMs: 200 } });
  [holder, observer] = [new Client(daemon.databaseUrl), new Client(daemon.databaseUrl)];
  await Promise.all([holder.connect(), observer.connect()]);
});
afterAll(async () => {
  await Promise.all([holder.end(), observer.end()]);
  await daemon.stop();
});
afterEach(() => holder.query('rollback'));

const recorded = async (ticketId: string) => (await daemon.client.context.list({ ticketId, sources: ['mechanical'] })).items;

/** The ways in which an attempt ends without a word of its agent. */
const ends: Readonly<Record<string, (bench: Bench, taskId: string) => Promise<unknown>>> = {
  'whose agent says goodbye': ({ agent }) => agent.client.agent.deregister({}),
  'whose agent begins another session': ({ agent }) => daemon.connectAgent({ name: agent.name }),
  'whose agent is terminated': ({ agent }) =>
    daemon.client.agent.setState({ agentId: agent.session.agentId, state: 'terminated', reason: 'The test wants it.' }),
  'that takes too long': ({ agent }) => agent.told('task/revoked'),
  'that is cancelled': (_bench, taskId) => daemon.client.task.cancel({ taskId }),
  'whose ticket leaves the phase': ({ ticket: { id: ticketId } }) => daemon.client.ticket.block({ ticketId, reason: 'The test wants it.' }),
};

test.each(Object.entries(ends))('the files that an attempt held %s are recorded', async (name, end) => {
  const bench = await setUpBench(daemon);
  const file = `src/${bench.type}.ts`;
  const timeoutMs = name === 'that takes too long' ? 200 : 3_600_000;
  const [taskId] = await bench.submit({ title: 'Mend it', locks: [{ key: `file:${file}` }], timeoutMs });
  await bench.agent.claimOne();

  await end(bench, taskId!);

  const fact = { text: `"Mend it" held the locks of ${file}`, author: 'coordinator', taskId, attempt: 1, phase: 'REQUIREMENTS' };
  expect(await recorded(bench.ticket.id)).toMatchObject([fact]);
});

test('of an attempt that its agent never knew of nothing is recorded', async () => {
  const { agent, submit, ticket, type } = await setUpBench(daemon);
  await submit({ title: 'Mend it', locks: [{ key: `file:src/${type}.ts` }] });
  await agent.claimOne();

  await eventually(async () => {
    await agent.client.agent.heartbeat({ attempts: [] });
    expect(await agent.claim({ max: 1 })).toHaveLength(1);
  });

  expect(await recorded(ticket.id)).toEqual([]);
});

test('a session ends with all that it runs, also with what was handed out while its end waited for its row', async () => {
  const [first, second] = [await setUpBench(daemon), await setUpBench(daemon)];
  const agent = await daemon.connectAgent({ capabilities: [first.type, second.type] });
  const [taskId] = await first.submit({ title: 'Mend it', locks: [{ key: `file:src/${first.type}.ts` }] });
  await first.agent.client.agent.deregister({});
  await second.agent.client.agent.deregister({});
  await agent.claimOne();
  await holder.query('begin');
  await holder.query('select 1 from sessions where id = $1 for key share', [agent.session.sessionId]);
  const ended = agent.client.agent.deregister({});
  await eventually(async () => {
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%from sessions%for update%'`;
    expect((await observer.query(waiting)).rows).toHaveLength(1);
  });
  const [lateId] = await second.submit({ locks: [{ key: `file:src/${second.type}.ts` }] });
  await agent.claimOne();

  await holder.query('commit');
  await ended;

  for (const id of [taskId!, lateId!])
    expect(await daemon.client.task.get({ taskId: id })).toMatchObject({ state: 'ready', attempts: [{ outcome: 'lost' }] });
  expect(await recorded(first.ticket.id)).toMatchObject([{ text: `"Mend it" held the locks of src/${first.type}.ts` }]);
  expect(await recorded(second.ticket.id)).toEqual([]);
});

describe('while somebody holds its ticket', () => {
  const begin = async () => {
    const bench = await setUpBench(daemon);
    const [taskId] = await bench.submit({ title: 'Mend it', locks: [{ key: `file:src/${bench.type}.ts` }] });
    await bench.agent.claimOne();
    await hold(bench.ticket.id);
    return { bench, taskId: taskId! };
  };
  const hold = async (ticketId: string) => {
    await holder.query('begin');
    await holder.query('select 1 from tickets where id = $1 for update', [ticketId]);
  };
  const untilEnded = (taskId: string, outcome: string, { client } = daemon) =>
    eventually(async () => expect(await client.task.get({ taskId })).toMatchObject({ attempts: [{ outcome }] }));

  test.each(['whose agent says goodbye', 'whose agent begins another session', 'whose agent is terminated'])(
    'an attempt %s ends, and only what it held is not recorded',
    async (name) => {
      const { bench, taskId } = await begin();

      await ends[name]!(bench, taskId);

      await untilEnded(taskId, 'lost');
      expect(await recorded(bench.ticket.id)).toEqual([]);
    },
  );

  test('an attempt that takes too long ends, and so does every other', async () => {
    const { taskId } = await begin();
    const other = await setUpBench(daemon);
    const [otherId] = await other.submit({ timeoutMs: 200 });
    await other.agent.claimOne();

    await observer.query('update tasks set deadline_at = clock_timestamp() where id = $1', [taskId]);

    await untilEnded(taskId, 'timed_out');
    await untilEnded(otherId!, 'timed_out');
  });

  test('the sessions of agents that have gone silent end, its own and every other', async () => {
    await using brief = await startDaemon({ config: { heartbeatMs: 500, leaseMs: 3_000, sweepMs: 200 }, databaseUrl: daemon.databaseUrl! });
    const benches = [await setUpBench(brief), await setUpBench(brief)];
    const taskIds: string[] = [];
    for (const { agent, submit } of benches) {
      taskIds.push(...(await submit({})));
      await agent.claimOne();
    }
    await hold(benches[0]!.ticket.id);

    for (const { agent } of benches) await agent.disconnect();

    for (const taskId of taskIds) await untilEnded(taskId, 'lost', brief);
  });
});
