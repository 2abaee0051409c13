import type { Client } from '@baton/protocol';
import { Client as PgClient } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
let client: Client;
beforeAll(async () => {
  daemon = await startDaemon();
  ({ client } = daemon);
});
afterAll(() => daemon.stop());

const hour = 3_600_000;

/** As if a task had been submitted earlier: what the database's clock said then is moved back. */
async function makeOlder(taskId: string, byMs: number): Promise<void> {
  const database = new PgClient(daemon.databaseUrl);
  await database.connect();
  const interval = `${byMs} milliseconds`;
  await database.query('update tasks set created_at = created_at - $2::interval, rank = rank - $2::interval where id = $1', [
    taskId,
    interval,
  ]);
  await database.end();
}

describe('the order of tasks', () => {
  const readyRefs = async (ticketId: string, limit = 100) =>
    (await client.scheduler.readyTasks({ ticketId, limit })).tasks.map(({ ref }) => ref ?? '');

  test('R1, R2 nothing is ready, then the one there is', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const before = await readyRefs(ticket.id);

    await submit({ ref: 'only' });

    expect(before).toEqual([]);
    expect(await readyRefs(ticket.id)).toEqual(['only']);
  });

  test('R3, R6 the first in rank, as many as are asked for', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    await submit(
      { ref: 'low', priority: 'LOW' },
      { ref: 'critical', priority: 'CRITICAL' },
      { ref: 'medium', priority: 'MEDIUM' },
      { ref: 'high', priority: 'HIGH' },
      { ref: 'low-too', priority: 'LOW' },
    );

    expect(await readyRefs(ticket.id, 3)).toEqual(['critical', 'high', 'medium']);
    expect(await readyRefs(ticket.id)).toEqual(['critical', 'high', 'medium', 'low', 'low-too']);
  });

  test('R4, R5 of a graph only what waits for nothing, and all that one made ready', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'one' }, { ref: 'a', dependsOn: ['one'] }, { ref: 'b', dependsOn: ['one'] }, { ref: 'c', dependsOn: ['a', 'b'] });
    const before = await readyRefs(ticket.id);

    await agent.complete(await agent.claimOne());

    expect(before).toEqual(['one']);
    expect(await readyRefs(ticket.id)).toEqual(['a', 'b']);
  });

  test('R7 a limit of 0 is -32602', async () => {
    await expect(client.scheduler.readyTasks({ limit: 0 })).rejects.toMatchObject({ kind: 'invalid_params', code: -32602 });
  });

  test('it is the order in which tasks are handed out, over all that an agent can do', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    await submit(
      { priority: 'LOW' },
      { capabilities: [type, 'more'] },
      { priority: 'HIGH' },
      { capabilities: ['somebody-else'], priority: 'CRITICAL' },
    );
    const able = await daemon.connectAgent({ capabilities: [type, 'more'] });

    const ready = await client.scheduler.readyTasks({ capabilities: [type, 'more'] });
    const claims = [...(await able.claim({ max: 2 })), ...(await agent.claim({ max: 2 }))];

    expect(claims.map(({ taskId }) => taskId)).toEqual(ready.tasks.map(({ taskId }) => taskId));
    expect(claims).toHaveLength(3);
  });

  test('D8 an old LOW task is handed out before a newer CRITICAL once it has waited two hours', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [older, younger] = await submit({ ref: 'waits-long', priority: 'LOW' }, { ref: 'waits-less', priority: 'LOW' });
    await submit({ ref: 'critical', priority: 'CRITICAL' });

    await makeOlder(older!, 2 * hour + 60_000);
    await makeOlder(younger!, 2 * hour - 60_000);
    const claims = await agent.claim({ max: 3 });

    expect(claims.map(({ ref }) => ref)).toEqual(['waits-long', 'critical', 'waits-less']);
  });
});

describe('the graph of a ticket', () => {
  test('D4 counts, what each task waits for, and batches', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [t1, t2, t3, t4] = await submit(
      { ref: 't1' },
      { ref: 't2', dependsOn: ['t1'] },
      { ref: 't3', dependsOn: ['t1'] },
      { ref: 't4', dependsOn: ['t2', 't3'] },
    );
    await agent.complete(await agent.claimOne());
    await agent.claim({ max: 1 });

    const status = await client.scheduler.dagStatus({ ticketId: ticket.id });

    expect(status.counts).toEqual({
      total: 4,
      pending: 2,
      blocked: 1,
      ready: 1,
      running: 1,
      completed: 1,
      failed: 0,
      cancelled: 0,
      skipped: 0,
    });
    expect(status.levels).toEqual([[t1], [t2, t3], [t4]]);
    expect(status.tasks.map(({ ref, dependsOn, isReady, level }) => [ref, dependsOn, isReady, level])).toEqual([
      ['t1', [], false, 0],
      ['t2', [t1], false, 1],
      ['t3', [t1], true, 1],
      ['t4', [t2, t3], false, 2],
    ]);
    expect(status.criticalPath.taskIds.at(-1)).toBe(t4);
    expect(status.criticalPath.taskIds).toHaveLength(2);
    expect(status.criticalPath.remainingMs).toBeGreaterThanOrEqual(0);
  });

  test('D4 a graph of ten thousand tasks is told as a whole, its tasks a page at a time', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const chain = Array.from({ length: 10_000 }, (_, index) => ({ ref: `t${index}`, ...(index > 0 && { dependsOn: [`t${index - 1}`] }) }));
    const ids = await submit(...chain);

    const first = await client.scheduler.dagStatus({ ticketId: ticket.id });
    const second = await client.scheduler.dagStatus({ ticketId: ticket.id, after: first.next! });

    expect(first.counts).toMatchObject({ total: 10_000, ready: 1, blocked: 9_999 });
    expect(first.levels).toHaveLength(10_000);
    expect(first.criticalPath.taskIds).toEqual(ids);
    expect([first.tasks.length, second.tasks.length]).toEqual([1_000, 1_000]);
    expect(second.tasks[0]!.taskId).toBe(ids[1_000]);
  });

  test('what waits for its time or a lock is not ready, and its time counts into what remains', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const key = `test:${crypto.randomUUID()}`;
    await agent.client.lock.acquire({ keys: [{ key }] });
    await submit({ ref: 'done' });
    await agent.complete(await agent.claimOne());
    const [locked] = await submit({ ref: 'locked', locks: [{ key }] });
    await agent.claim();
    const [late, now] = await submit({ ref: 'late', runAt: new Date(Date.now() + hour).toISOString() }, { ref: 'now' });

    const { tasks, criticalPath } = await client.scheduler.dagStatus({ ticketId: ticket.id });
    const { tasks: ready } = await client.scheduler.readyTasks({ ticketId: ticket.id });

    expect(tasks.filter(({ isReady }) => isReady).map(({ taskId }) => taskId)).toEqual([now]);
    expect(ready.map(({ taskId }) => taskId)).toEqual([now]);
    expect(tasks.find(({ taskId }) => taskId === late)!.runInMs).toBeGreaterThan(hour / 2);
    expect(tasks.find(({ taskId }) => taskId === locked)).not.toHaveProperty('runInMs');
    expect(criticalPath.taskIds).toEqual([late]);
    expect(criticalPath.remainingMs).toBeGreaterThan(hour / 2);
  });

  test('an unknown ticket is ticket_not_found', async () => {
    expect(await outcomeOf(client.scheduler.dagStatus({ ticketId: crypto.randomUUID() }))).toBe('ticket_not_found');
  });
});

describe('reservations', () => {
  test('W14 ready tasks are reserved for the best agents, and it is written down', async () => {
    const { ticket, type, agent: large, submit } = await setUpBench(daemon, { capacity: 4 });
    const small = await daemon.connectAgent({ capabilities: [type, 'more'], capacity: 1 });
    const feed = await followEvents(daemon.connection);
    const [first] = await submit({ ref: 'first', priority: 'HIGH' }, { ref: 'second' });

    const { assignments } = await client.scheduler.assign({ ticketId: ticket.id, limit: 1, forMs: 600_000 });
    const bySmall = await small.claim({ max: 5 });
    const byLarge = await large.claim({ max: 5 });

    expect(assignments).toMatchObject([{ taskId: first, agentId: large.session.agentId, agentName: large.name }]);
    expect((await feed.waitFor('task.reserved', ({ data }) => data.taskId === first)).data).toMatchObject({
      agentName: large.name,
      forMs: 600_000,
    });
    expect(bySmall.map(({ ref }) => ref)).toEqual(['second']);
    expect(byLarge.map(({ ref }) => ref)).toEqual(['first']);
  });

  test('W14 its agent is given a reserved task before all others', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [, last] = await submit({ ref: 'critical', priority: 'CRITICAL' }, { ref: 'low', priority: 'LOW' });

    await client.scheduler.assign({ taskIds: [last!] });

    expect((await agent.claim({ max: 1 })).map(({ ref }) => ref)).toEqual(['low']);
  });

  test('W14 an agent that waits is given what is reserved for it at once', async () => {
    const { type, agent: other, submit } = await setUpBench(daemon);
    const [taskId] = await submit({});
    const chosen = await daemon.connectAgent({ capabilities: [type], capacity: 1 });
    await client.scheduler.assign({ taskIds: [taskId!], agentIds: [chosen.session.agentId] });

    const [byOther, byChosen] = await Promise.all([other.claim({ waitMs: 300 }), chosen.claim({ waitMs: 50_000 })]);

    expect(byOther).toEqual([]);
    expect(byChosen.map((claim) => claim.taskId)).toEqual([taskId]);
  });

  test('W14 when its time is over anybody may have it, and whoever waits is told', async () => {
    const { type, agent: other, submit } = await setUpBench(daemon);
    const [taskId] = await submit({});
    const chosen = await daemon.connectAgent({ capabilities: [type] });
    await client.scheduler.assign({ taskIds: [taskId!], agentIds: [chosen.session.agentId], forMs: 500 });

    expect((await other.claim({ waitMs: 50_000 })).map((claim) => claim.taskId)).toEqual([taskId]);
  });

  test('W14 no slot is promised twice, and no task', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon, { capacity: 2 });
    await submit({}, {}, {}, {});

    const answers = await Promise.all(Array.from({ length: 4 }, () => client.scheduler.assign({ ticketId: ticket.id, limit: 2 })));
    const taskIds = answers.flatMap(({ assignments }) => assignments.map(({ taskId }) => taskId));

    expect(taskIds).toHaveLength(2);
    expect(new Set(taskIds).size).toBe(2);
    expect((await agent.claim({ max: 2 })).map(({ taskId }) => taskId).toSorted()).toEqual(taskIds.toSorted());
  });

  test('W14 an agent that takes no work, or does not offer what is needed, is given no reservation', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    const [taskId] = await submit({});
    await agent.client.agent.drain({});
    await daemon.connectAgent({ capabilities: [`${type}-not`] });

    expect((await client.scheduler.assign({ taskIds: [taskId!] })).assignments).toEqual([]);
  });

  test('W14 an agent that no longer offers what a reserved task needs is not given it', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    const other = uniqueType();
    const helper = await daemon.connectAgent({ capabilities: [type] });
    const [taskId, free] = await submit({}, {});
    await client.scheduler.assign({ taskIds: [taskId!], agentIds: [agent.session.agentId] });
    await agent.client.agent.update({ capabilities: [other] });

    const [byAgent, byHelper] = await Promise.all([agent.claim({ waitMs: 300 }), helper.claim({ max: 5, waitMs: 300 })]);

    expect(byAgent).toEqual([]);
    expect(byHelper.map((claim) => claim.taskId)).toEqual([free]);
  });

  test('W14 of each task that was named and is kept for nobody it is said why', async () => {
    const { type, agent, submit } = await setUpBench(daemon, { capacity: 2 });
    const [first, second, third, dependent, late, other] = await submit(
      { ref: 'first' },
      {},
      {},
      { dependsOn: ['first'] },
      { delayMs: hour },
      { capabilities: [`${type}-rare`] },
    );
    const taskIds = [first!, second!, third!, dependent!, late!, other!];

    const { assignments, passedOver } = await client.scheduler.assign({ taskIds, limit: 10, forMs: 60_000 });
    const again = await client.scheduler.assign({ taskIds: [first!] });
    const narrow = await client.scheduler.assign({ taskIds: [third!], agentIds: [agent.session.agentId] });

    expect(assignments.map(({ taskId }) => taskId)).toEqual([first, second]);
    expect(new Map(passedOver.map(({ taskId, reason }) => [taskId, reason]))).toEqual(
      new Map([
        [third, 'Others came first, and no slot is left.'],
        [dependent, 'It waits for other tasks.'],
        [late, expect.stringMatching(/^It may run in (59 min|1 h)/) as string],
        [other, `No agent that has a free slot and takes work offers ${type}-rare.`],
      ]),
    );
    expect(again.passedOver).toMatchObject([{ taskId: first, reason: expect.stringContaining(`It is kept for ${agent.name}`) as string }]);
    expect(narrow.passedOver).toMatchObject([{ taskId: third, reason: expect.stringMatching(/^No agent that has a free slot/) as string }]);
  });

  test('W14 what does not exist cannot be assigned', async () => {
    const nobody = crypto.randomUUID();

    expect(await outcomeOf(client.scheduler.assign({ taskIds: [nobody] }))).toBe('task_not_found');
    expect(await outcomeOf(client.scheduler.assign({ agentIds: [nobody] }))).toBe('agent_not_found');
    expect(await outcomeOf(client.scheduler.assign({ ticketId: nobody }))).toBe('ticket_not_found');
  });
});
