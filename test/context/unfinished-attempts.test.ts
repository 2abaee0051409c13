import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

const recorded = async (ticketId: string) => (await daemon.client.context.list({ ticketId, sources: ['mechanical'] })).items;

/** The ways in which an attempt ends without a word of its agent. */
const ends: Readonly<Record<string, (bench: Bench, taskId: string) => Promise<unknown>>> = {
  'whose agent says goodbye': ({ agent }) => agent.client.agent.deregister({}),
  'whose agent begins another session': ({ agent }) => daemon.connectAgent({ name: agent.name }),
  'whose agent is terminated': ({ agent }) =>
    daemon.client.agent.setState({ agentId: agent.session.agentId, state: 'terminated', reason: 'The test wants it.' }),
  'that takes too long': ({ agent }) => agent.told('task/revoked'),
  'that its agent does not know of': ({ agent }) =>
    eventually(async () => {
      await agent.client.agent.heartbeat({ attempts: [] });
      expect(await agent.claim({ max: 1 })).toHaveLength(1);
    }),
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

test('a session ends with all that it runs, also with what was handed out while its end waited for a ticket', async () => {
  const [first, second] = [await setUpBench(daemon), await setUpBench(daemon)];
  const agent = await daemon.connectAgent({ capabilities: [first.type, second.type] });
  const [taskId] = await first.submit({ title: 'Mend it', locks: [{ key: `file:src/${first.type}.ts` }] });
  await first.agent.client.agent.deregister({});
  await second.agent.client.agent.deregister({});
  await agent.claimOne();
  await holder.query('begin');
  await holder.query('select 1 from tickets where id = $1 for update', [first.ticket.id]);
  const ended = agent.client.agent.deregister({});
  await eventually(async () => {
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%from tickets%'`;
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
