import type { Client, Explanation } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { createTicketIn, outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let client: Client;
beforeAll(async () => {
  daemon = await startDaemon();
  ({ client } = daemon);
});
afterAll(() => daemon.stop());

const explainTask = (taskId: string) => client.scheduler.explain({ taskId });
const explainAgent = ({ session }: TestAgent) => client.scheduler.explain({ agentId: session.agentId });
const codesOf = ({ obstacles }: Explanation) => obstacles.map(({ code }) => code);
const codesFor = ({ agents = [] }: Explanation, { name }: TestAgent) =>
  agents.find(({ agentName }) => agentName === name)?.obstacles.map(({ code }) => code);

describe('why a task does not run', () => {
  test('it waits for others, by name', async () => {
    const { submit } = await setUpBench(daemon);
    const [, child] = await submit({ ref: 'a', title: 'Parse' }, { ref: 'b', dependsOn: ['a'] });

    const answer = await explainTask(child!);

    expect(codesOf(answer)).toEqual(['dependencies_pending']);
    expect(answer.obstacles[0]!.tasks).toMatchObject([{ title: 'Parse', state: 'ready' }]);
    expect(answer.summary).toBe('"b" is blocked: it waits for "Parse" (ready).');
  });

  test('it waits for a lock, and who has it', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const key = `test:${crypto.randomUUID()}`;
    await agent.client.lock.acquire({ keys: [{ key }] });
    const [taskId] = await submit({ locks: [{ key }] });
    await agent.claim();

    expect((await explainTask(taskId!)).obstacles).toMatchObject([{ code: 'lock_taken', key, holders: [agent.name] }]);
  });

  test('it declares a lock that is taken, which nobody had to find out before', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const holder = await daemon.connectAgent({ capabilities: ['other'] });
    const [free, taken] = [`test:${crypto.randomUUID()}`, `test:${crypto.randomUUID()}`];
    await holder.client.lock.acquire({ keys: [{ key: free, mode: 'shared' }, { key: taken }] });
    const shares = { key: free, mode: 'shared' as const };
    const [waits, runs] = await submit({ locks: [shares, { key: taken }] }, { locks: [shares] });

    const answer = await explainTask(waits!);
    const ofAgent = await explainAgent(agent);

    expect(answer.obstacles).toMatchObject([{ code: 'lock_taken', key: taken, holders: [holder.name] }]);
    expect(codesOf(await explainTask(runs!))).toEqual(['nobody_asks']);
    const codesById = new Map(ofAgent.tasks!.map(({ taskId, obstacles }) => [taskId, obstacles.map(({ code }) => code)]));
    expect([codesById.get(waits!), codesById.get(runs!)]).toEqual([['lock_taken'], []]);
  });

  test('its back-off is not over', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [taskId] = await submit({ delayMs: 60_000 });

    const [obstacle] = (await explainTask(taskId!)).obstacles;

    expect(obstacle).toMatchObject({ code: 'not_due' });
    expect(obstacle!.inMs).toBeGreaterThan(50_000);
    expect(await agent.claim()).toEqual([]);
  });

  test('it is kept for one, and for nobody else', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    const other = await daemon.connectAgent({ capabilities: [type] });
    const [taskId] = await submit({});
    await client.scheduler.assign({ taskIds: [taskId!], agentIds: [agent.session.agentId], forMs: 600_000 });

    const answer = await explainTask(taskId!);

    expect(answer.obstacles).toMatchObject([{ code: 'reserved', agentName: agent.name }, { code: 'nobody_asks' }]);
    expect(codesFor(answer, agent)).toEqual(['not_asking']);
    expect(codesFor(answer, other)).toEqual(['reserved_for_other']);
  });

  test.each([
    ['running', 'task_running', '"Parse" runs: AGENT has it.'],
    ['completed', 'task_completed', '"Parse" was done by AGENT.'],
    ['failed', 'task_failed', '"Parse" has failed for good: No parser. `baton retry TASK` gives it a new life.'],
    ['cancelled', 'task_cancelled', '"Parse" was cancelled: cancelled by hand. `baton retry TASK` gives it a new life.'],
  ])('what is %s is told as such', async (state, code, summary) => {
    const { agent, submit } = await setUpBench(daemon);
    const [taskId] = await submit({ title: 'Parse', maxAttempts: 1 });
    if (state === 'cancelled') await client.task.cancel({ taskId: taskId! });
    else {
      const claim = await agent.claimOne();
      if (state === 'completed') await agent.complete(claim);
      if (state === 'failed') await agent.fail(claim, { message: 'No parser.' });
    }

    const answer = await explainTask(taskId!);

    expect(codesOf(answer)).toEqual([code]);
    expect(answer.summary).toBe(summary.replace('AGENT', agent.name).replace('TASK', taskId!));
  });

  test('nobody offers what it needs, and what comes closest is told first', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    const far = await daemon.connectAgent({ capabilities: ['something-else'] });
    const [taskId] = await submit({ capabilities: [type, `${type}-rare`] });

    const answer = await explainTask(taskId!);

    expect(answer.obstacles).toMatchObject([{ code: 'nobody_offers', missing: [type, `${type}-rare`] }]);
    expect(answer.agents![0]).toMatchObject({ agentName: agent.name, fits: false, obstacles: [{ missing: [`${type}-rare`] }] });
    expect(codesFor(answer, far) ?? ['capability_missing']).toEqual(['capability_missing']);
  });

  test('who has it in another version is told so, and who is not there and could not is only counted', async () => {
    const { type, submit } = await setUpBench(daemon);
    const older = await daemon.connectAgent({ capabilities: [`${type}-tool@3.11.1`] });
    const gone = await daemon.connectAgent({ capabilities: ['something-else'] });
    const ended = await daemon.connectAgent({ capabilities: [`${type}-tool@3.12.1`] });
    await gone.client.agent.deregister({});
    await client.agent.setState({ agentId: ended.session.agentId, state: 'terminated', reason: 'It is broken' });
    const [taskId] = await submit({ capabilities: [`${type}-tool@>=3.12`] });

    const answer = await explainTask(taskId!);

    expect(codesOf(answer)).toEqual(['nobody_offers']);
    expect(answer.agents!.find(({ agentName }) => agentName === older.name)!.obstacles[0]!.message).toBe(
      `It does not offer ${type}-tool@>=3.12, but has ${type}-tool@3.11.1.`,
    );
    expect([codesFor(answer, gone), codesFor(answer, ended)]).toEqual([undefined, undefined]);
    expect(answer.omitted).toBeGreaterThanOrEqual(2);
  });

  test('whoever could do it is its author, which does not pass', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'draft', title: 'Draft' });
    await agent.complete(await agent.claimOne());
    const [taskId] = await submit({ title: 'Review', notBy: ['draft'] });

    const answer = await explainTask(taskId!);

    expect(codesOf(answer)).toEqual(['only_authors']);
    expect(answer.summary).toBe(
      `"Review" is ready: the one agent that offers what it needs, ${agent.name}, may never do it: it did "Draft".`,
    );
  });

  test('of each agent all that stands in the way, and who would get it', async () => {
    const { ticket, type, agent: busy, submit } = await setUpBench(daemon, { capacity: 1 });
    const draining = await daemon.connectAgent({ capabilities: [type] });
    const away = await daemon.connectAgent({ capabilities: [type] });
    const idle = await daemon.connectAgent({ capabilities: [type] });
    const wanting = await daemon.connectAgent({ capabilities: [`${type}-other`] });
    const author = await daemon.connectAgent({ capabilities: [type, 'author-only'] });
    await client.task.submit({ ticketId: ticket.id, tasks: [{ ref: 'draft', type: 'write', capabilities: ['author-only'] }] });
    await author.complete(await author.claimOne());
    await submit({});
    await busy.claimOne();
    await draining.client.agent.drain({});
    await away.client.agent.deregister({});
    const [taskId] = await submit({ notBy: ['draft'], locks: [] });

    const answer = await explainTask(taskId!);

    expect(codesFor(answer, busy)).toEqual(['no_free_slot']);
    expect(codesFor(answer, draining)).toEqual(['agent_draining']);
    expect(codesFor(answer, away)).toEqual(['agent_lost']);
    expect(codesFor(answer, idle)).toEqual(['not_asking']);
    expect(codesFor(answer, wanting)).toEqual(['capability_missing']);
    expect(codesFor(answer, author)).toEqual(['excluded_author']);
    expect(codesOf(answer)).toEqual(['nobody_asks']);
    expect(answer.agents!.filter(({ fits }) => fits).map(({ agentName }) => agentName)).toEqual([idle.name]);
  });

  test('who says that it takes no work, or was put aside, is told so', async () => {
    const { type, agent, submit } = await setUpBench(daemon);
    const aside = await daemon.connectAgent({ capabilities: [type] });
    await client.agent.setAvailability({ agentId: agent.session.agentId, available: false, reason: 'The build server is down' });
    await client.agent.setState({ agentId: aside.session.agentId, state: 'quarantined', reason: 'It breaks the build.' });
    const [taskId] = await submit({});

    const answer = await explainTask(taskId!);

    expect(answer.agents!.find(({ agentName }) => agentName === agent.name)!.obstacles[0]!.message).toBe(
      'It was set to take no work now: The build server is down.',
    );
    expect(codesFor(answer, agent)).toEqual(['agent_unavailable']);
    expect(codesFor(answer, aside)).toEqual(['agent_quarantined']);
    expect(answer.agents!.find(({ agentName }) => agentName === aside.name)!.obstacles[0]!.message).toContain('It breaks the build.');
    expect(codesOf(answer)).toEqual(['nobody_free']);
  });
});

describe('why an agent is given nothing', () => {
  test('nothing is ready that suits it, and what it lacks', async () => {
    const { ticket, type } = await setUpBench(daemon);
    const other = await daemon.connectAgent({ capabilities: ['something-else'] });
    const { tasks } = await client.task.submit({
      ticketId: ticket.id,
      tasks: [{ type, title: 'For somebody else', priority: 'CRITICAL' }],
    });

    const answer = await explainAgent(other);

    expect(codesOf(answer)).toEqual(['nothing_suits', 'not_asking']);
    expect(answer.tasks!.find(({ taskId }) => taskId === tasks[0]!.id)).toMatchObject({
      fits: false,
      obstacles: [{ code: 'capability_missing', missing: [type] }],
    });
  });

  test('it has no free slot', async () => {
    const { agent, submit } = await setUpBench(daemon, { capacity: 1 });
    await submit({}, {});
    await agent.claimOne();

    const answer = await explainAgent(agent);

    expect(codesOf(answer)).toEqual(['no_free_slot']);
    expect(answer.summary).toBe(`${agent.name} is given nothing: it has no free slot: it runs 1 of 1.`);
  });

  test('it does not ask', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [taskId] = await submit({ title: 'Parse' });

    const answer = await explainAgent(agent);

    expect(codesOf(answer)).toEqual(['not_asking']);
    expect(answer.tasks![0]).toMatchObject({ taskId, fits: true, isNext: false, obstacles: [] });
  });

  test('what it could do waits for a lock', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const key = `test:${crypto.randomUUID()}`;
    await agent.client.lock.acquire({ keys: [{ key }] });
    await submit({ locks: [{ key }] });
    await agent.claim();

    expect((await explainAgent(agent)).tasks![0]!.obstacles).toMatchObject([{ code: 'lock_taken', holders: [agent.name] }]);
  });
});

test('what is said of a waiting agent is what the matching does', async () => {
  const { type, agent, submit } = await setUpBench(daemon);
  const specialist = await daemon.connectAgent({ capabilities: [type] });
  const generalist = await daemon.connectAgent({ capabilities: [type, 'more'] });
  await agent.client.agent.setAvailability({ available: false });
  const leave = new AbortController();
  const waiting = [agent, specialist, generalist].map(async (each) => {
    const { claims } = await each.client.task.claim({ waitMs: 50_000 }, { signal: leave.signal });
    return claims;
  });
  const all = Promise.allSettled(waiting);
  // They wait, and the task cannot be taken yet: the parent holds it back.
  const parent = await daemon.connectAgent({ capabilities: [`${type}-parent`] });
  await submit({ ref: 'parent', capabilities: [`${type}-parent`] });
  const parentClaim = await parent.claimOne();
  const [child] = await submit({ ref: 'child', dependsOn: ['parent'] });
  await eventually(async () => {
    const answer = await explainTask(child!);
    expect([specialist, generalist].map((each) => codesFor(answer, each))).toEqual([[], []]);
  });
  const foretold = await explainTask(child!);

  await parent.complete(parentClaim);
  const byIdle = await waiting[1]!;

  expect(
    foretold
      .agents!.filter(({ fits }) => fits)
      .map(({ agentName }) => agentName)
      .toSorted(),
  ).toEqual([generalist.name, specialist.name].toSorted());
  expect(codesFor(foretold, agent)).toEqual(['agent_unavailable']);
  expect(byIdle.map(({ taskId }) => taskId)).toEqual([child]);
  leave.abort();
  await all;
});

test('an explanation writes nothing', async () => {
  const { agent, submit } = await setUpBench(daemon);
  const [taskId] = await submit({});
  const before = await client.event.list({ limit: 1 });

  await explainTask(taskId!);
  await explainAgent(agent);

  expect((await client.event.list({ limit: 1 })).lastSeq).toBe(before.lastSeq);
  expect(await client.task.get({ taskId: taskId! })).toMatchObject({ state: 'ready', attempt: 0 });
});

test('what does not exist, or is asked for twice, is refused', async () => {
  const nobody = crypto.randomUUID();

  expect(await outcomeOf(client.scheduler.explain({ taskId: nobody }))).toBe('task_not_found');
  expect(await outcomeOf(client.scheduler.explain({ agentId: nobody }))).toBe('agent_not_found');
  expect(await outcomeOf(client.scheduler.explain({}))).toBe('invalid_params');
  expect(await outcomeOf(client.scheduler.explain({ taskId: nobody, agentId: nobody }))).toBe('invalid_params');
});

test('a task of a phase that was left is cancelled, and says so', async () => {
  const ticket = await createTicketIn(client, 'REQUIREMENTS');
  const { tasks } = await client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'nobody-does-this' }] });
  await client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED', reason: 'Something is missing.' });

  expect(codesOf(await explainTask(tasks[0]!.id))).toEqual(['task_cancelled']);
});
