import type { Claim } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { createTicketIn, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const times = (count: number) => Array.from({ length: count }, () => ({}));
const runningOf = async (agentId: string) => (await daemon.client.agent.get({ agentId })).running;

describe('capacity', () => {
  test('W1 an agent of capacity 2 never runs more than 2 of 5 tasks', async () => {
    const { agent, submit } = await setUpBench(daemon, { capacity: 2 });
    await submit(...times(5));
    const sizes: number[] = [];

    for (let done = 0; done < 5;) {
      const claims = await agent.claim({ max: 10 });
      sizes.push(await runningOf(agent.session.agentId));
      for (const claim of claims) await agent.complete(claim);
      done += claims.length;
    }

    expect(sizes).toEqual([2, 2, 1]);
  });

  test('W5 a capacity of 3 is kept by many claims at once', async () => {
    const { agent, submit } = await setUpBench(daemon, { capacity: 3 });
    await submit(...times(8));

    const claims = (await Promise.all(Array.from({ length: 6 }, () => agent.claim({ max: 2 })))).flat();

    expect(claims).toHaveLength(3);
    expect(await runningOf(agent.session.agentId)).toBe(3);
  });

  test('W6 the default is 1', async () => {
    const type = uniqueType();
    const ticket = await createTicketIn(daemon.client, 'REQUIREMENTS');
    const { client } = await daemon.connect();
    const { agentId } = await client.agent.register({ name: `plain-${type}`, capabilities: [type] });
    await client.task.submit({ ticketId: ticket.id, tasks: [{ type }, { type }] });

    const { claims } = await client.task.claim({ max: 10 });

    expect(claims).toHaveLength(1);
    expect(await daemon.client.agent.get({ agentId })).toMatchObject({ capacity: 1, running: 1 });
  });

  test('W7 five tasks on three slots are done once each', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon, { capacity: 3 });
    const ids = await submit(...times(5));

    const done = await workAll(agent, 5);

    expect(done.map(({ taskId }) => taskId).toSorted()).toEqual([...ids].toSorted());
    const { tasks } = await daemon.client.task.list({ ticketId: ticket.id });
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(times(5).map(() => ['completed', 1]));
  });

  test('W9 ten short tasks on three slots: never more than three at once', async () => {
    const { agent, submit } = await setUpBench(daemon, { capacity: 3 });
    await submit(...times(10));
    const { promise: allTaken, resolve: tellAllTaken } = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;

    await workAll(agent, 10, async () => {
      most = Math.max(most, (running += 1));
      // The first wait for each other, and two more ask all the time.
      if (running === 3) tellAllTaken();
      await allTaken;
      running -= 1;
    });

    expect(most).toBe(3);
  });
});

describe('who gets a task', () => {
  test('W4 a python task goes to the agent that offers python, always', async () => {
    const ticket = await createTicketIn(daemon.client, 'REQUIREMENTS');
    const python = uniqueType();
    const javascript = uniqueType();
    const agPy = await daemon.connectAgent({ name: `ag_py ${python}`, capabilities: [python, 'testing'] });
    const agJs = await daemon.connectAgent({ name: `ag_js ${python}`, capabilities: [javascript, 'node'] });
    const tasks = Array.from({ length: 10 }, () => ({ type: 'write-code', capabilities: [python] }));
    await daemon.client.task.submit({ ticketId: ticket.id, tasks });

    const [byJs, byPy] = await Promise.all([agJs.claim({ max: 10 }), agPy.claim({ max: 10 })]);

    expect(byJs).toEqual([]);
    expect(byPy).toHaveLength(10);
  });

  test('W10 of eight agents that claim one task at once one gets it', async () => {
    const { type, submit } = await setUpBench(daemon);
    const agents = await Promise.all(Array.from({ length: 8 }, () => daemon.connectAgent({ capabilities: [type] })));
    const [only] = await submit({});

    const claims = (await Promise.all(agents.map((agent) => agent.claim()))).flat();

    expect(claims.map(({ taskId, attempt }) => [taskId, attempt])).toEqual([[only, 1]]);
  });

  test('W10 of eight agents that wait for one task one gets it', async () => {
    const { type, submit } = await setUpBench(daemon);
    const agents = await Promise.all(Array.from({ length: 8 }, () => daemon.connectAgent({ capabilities: [type] })));
    const leave = new AbortController();
    const waiting = agents.map(async ({ name, client }) => {
      const { claims } = await client.task.claim({ waitMs: 50_000 }, { signal: leave.signal });
      return { name, claims };
    });
    const all = Promise.allSettled(waiting);

    const [only] = await submit({});
    const first = await Promise.race(waiting);
    leave.abort();
    await all;

    expect(first.claims.map(({ taskId }) => taskId)).toEqual([only]);
    expect(await daemon.client.task.get({ taskId: only! })).toMatchObject({ attempt: 1, agentName: first.name, attempts: [{}] });
  });

  test('W11 of two agents that wait the one with a free slot gets the task', async () => {
    const { type, agent: busy, submit } = await setUpBench(daemon, { capacity: 1 });
    await submit({});
    await busy.claimOne();
    const idle = await daemon.connectAgent({ capabilities: [type], capacity: 1 });
    const waiting = [busy.claim({ waitMs: 1_000 }), idle.claim({ waitMs: 50_000 })];

    const [only] = await submit({});
    const [byBusy, byIdle] = await Promise.all(waiting);

    expect(byBusy).toEqual([]);
    expect(byIdle!.map(({ taskId }) => taskId)).toEqual([only]);
  });

  test('W13 a draining agent takes nothing new, finishes what it has, and leaves', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    await submit({});
    const claim = await agent.claimOne();

    await agent.client.agent.drain({});
    await submit({});
    const whileDraining = await agent.claim({ max: 5 });
    const finished = await agent.complete(claim);
    await agent.client.agent.deregister({});
    const other = await daemon.connectAgent({ capabilities: [type] });

    expect(whileDraining).toEqual([]);
    expect(finished.state).toBe('completed');
    expect(await daemon.client.agent.get({ agentId: agent.session.agentId })).toMatchObject({ running: 0, health: 'lost' });
    expect(await other.claim()).toHaveLength(1);
  });
});

/** Takes and does tasks, as many at a time as the coordinator allows, until so many are done. */
async function workAll(agent: TestAgent, count: number, work: (claim: Claim) => Promise<void> = async () => {}): Promise<Claim[]> {
  const done: Claim[] = [];
  const worker = async () => {
    while (done.length < count) {
      for (const claim of await agent.claim({ max: 1, waitMs: 100 })) {
        await work(claim);
        await agent.complete(claim);
        done.push(claim);
      }
    }
  };
  await Promise.all(Array.from({ length: 5 }, worker));
  return done;
}
