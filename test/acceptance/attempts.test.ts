import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { setUpBench } from '../support/work.ts';

/** Of delays drawn up to an hour some are surely long enough to look before they have passed. */
const backoffMs = 3_600_000;
let daemon: Daemon;
/** One whose back-off is too short to matter. */
let hasty: Daemon;
beforeAll(async () => {
  [daemon, hasty] = await Promise.all([
    startDaemon({ config: { backoffBaseMs: backoffMs, backoffCapMs: backoffMs } }),
    startDaemon({ config: { backoffBaseMs: 1 } }),
  ]);
});
afterAll(async () => {
  await Promise.all([daemon.stop(), hasty.stop()]);
});

describe('cancellation', () => {
  test('Q1 a task cancelled while it waits never runs', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [waiting] = await submit({ title: 'Not needed any more' });

    const { state } = await daemon.client.task.cancel({ taskId: waiting!, reason: 'Not needed.' });

    expect(state).toBe('cancelled');
    expect(await agent.claim({ max: 10 })).toEqual([]);
    expect(await daemon.client.task.get({ taskId: waiting! })).toMatchObject({ state: 'cancelled', attempt: 0, reason: 'Not needed.' });
  });

  test('Q2 when a running one is cancelled its agent is told, its late result refused, and the state stays', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [taskId] = await submit({});
    const claim = await agent.claimOne();

    await daemon.client.task.cancel({ taskId: taskId! });
    const told = await agent.told('task/revoked');
    const late = agent.complete(claim, { output: { late: true } });

    expect(told).toEqual({ taskId, attempt: 1, reason: 'cancelled' });
    await expect(late).rejects.toMatchObject({ kind: 'claim_stale' });
    const task = await daemon.client.task.get({ taskId: taskId! });
    expect(task).toMatchObject({ state: 'cancelled', attempts: [{ outcome: 'cancelled' }] });
    expect(task.output).toBeUndefined();
  });
});

describe('failure', () => {
  test('Q3 the back-off lies within its limits, and the task is not claimable before', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const ids = await submit(...Array.from({ length: 20 }, () => ({})));
    const claims = [...(await agent.claim({ max: 10 }))];
    const delays: number[] = [];

    const failed = await Promise.all(claims.map((claim) => agent.fail(claim)));
    delays.push(...failed.map(({ retryInMs }) => retryInMs ?? Number.NaN));
    const longest = failed.toSorted((a, b) => (b.retryInMs ?? 0) - (a.retryInMs ?? 0))[0]!;
    const waiting = await daemon.client.task.get({ taskId: longest.taskId });
    const claimedAgain = (await agent.claim({ max: 10 })).map(({ taskId }) => taskId);

    expect(ids).toHaveLength(20);
    for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(0);
    for (const delay of delays) expect(delay).toBeLessThanOrEqual(backoffMs);
    expect(waiting).toMatchObject({ state: 'ready', attempt: 1 });
    expect(waiting.runInMs).toBeGreaterThan(0);
    expect(claimedAgain).not.toContain(longest.taskId);
  });

  test('Q4 a retried attempt has a start time of its own', async () => {
    const { agent, submit } = await setUpBench(hasty);
    const [taskId] = await submit({});
    await agent.fail(await agent.claimOne());
    await agent.complete(await agent.claimOne());

    const { attempts } = await hasty.client.task.get({ taskId: taskId! });

    expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'failed'],
      [2, 'completed'],
    ]);
    expect(Date.parse(attempts[1]!.startedAt)).toBeGreaterThanOrEqual(Date.parse(attempts[0]!.finishedAt!));
  });

  test('Q5 a permanent error is not retried', async () => {
    const { agent, submit } = await setUpBench(hasty);
    const [taskId] = await submit({ maxAttempts: 5 });

    const { state } = await agent.fail(await agent.claimOne(), { permanent: true, message: 'The file is not there.' });

    expect(state).toBe('failed');
    expect(await hasty.client.task.get({ taskId: taskId! })).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { message: 'The file is not there.' },
    });
    expect(await agent.claim()).toEqual([]);
  });

  test('Q6 an attempt that takes longer than allowed has timed out, and its agent is told', async () => {
    const { agent, submit } = await setUpBench(hasty);
    const [taskId] = await submit({ timeoutMs: 100, maxAttempts: 1 });
    const claim = await agent.claimOne();
    const events = await followEvents(hasty.connection, { after: 0 });

    const told = await agent.told('task/revoked');
    const failed = await events.waitFor('task.failed', ({ data }) => data.taskId === taskId);
    const late = agent.complete(claim);

    expect(told).toEqual({ taskId, attempt: 1, reason: 'timed_out' });
    expect(failed.data.outcome).toBe('timed_out');
    await expect(late).rejects.toMatchObject({ kind: 'claim_stale' });
    expect(await hasty.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'failed', attempts: [{ outcome: 'timed_out' }] });
  });

  test('Q7 with its attempts used up a task has failed, is listed so, and task/retry gives it a new life', async () => {
    const { ticket, agent, submit } = await setUpBench(hasty);
    const [taskId] = await submit({ maxAttempts: 2 });
    await agent.fail(await agent.claimOne());
    const last = await agent.fail(await agent.claimOne());
    const dead = await hasty.client.task.list({ ticketId: ticket.id, states: ['failed'] });

    const retried = await hasty.client.task.retry({ taskId: taskId!, reason: 'The disk has room again.' });
    const claim = await agent.claimOne();
    await agent.complete(claim);

    expect(last.state).toBe('failed');
    expect(dead.tasks.map(({ id }) => id)).toEqual([taskId]);
    expect(retried.state).toBe('ready');
    expect(claim.attempt).toBe(3);
    expect(await hasty.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'completed' });
  });
});

describe('what is told of attempts', () => {
  test('Q4 each attempt is kept with its agent, its times, its outcome and its error', async () => {
    const { type, agent, submit } = await setUpBench(hasty);
    const [taskId] = await submit({ maxAttempts: 5 });
    await agent.fail(await agent.claimOne(), { message: 'Not yet.' });
    const { taskId: id, attempt } = await agent.claimOne();
    await agent.client.task.release({ taskId: id, attempt, reason: 'Somebody else may.' });
    await agent.client.agent.deregister({});
    const other = await hasty.connectAgent({ capabilities: [type] });
    await other.complete(await other.claimOne());

    const { attempts } = await hasty.client.task.get({ taskId: taskId! });

    expect(attempts).toMatchObject([
      { number: 1, agentId: agent.session.agentId, agentName: agent.name, outcome: 'failed', error: { message: 'Not yet.' } },
      { number: 2, agentId: agent.session.agentId, outcome: 'released', error: { code: 'released', message: 'Somebody else may.' } },
      { number: 3, agentId: other.session.agentId, agentName: other.name, outcome: 'completed' },
    ]);
    expect(attempts[2]!.error).toBeUndefined();
    const moments = attempts.flatMap(({ startedAt, finishedAt }) => [startedAt, finishedAt ?? 'never']);
    expect(moments).toEqual(moments.toSorted());
  });

  test('progress is a percentage and a message, as they were told last, and is forgotten with the attempt', async () => {
    const { agent, submit } = await setUpBench(hasty);
    const [taskId] = await submit({});
    const claim = await agent.claimOne();
    const tell = (progress: { percentage?: number; message?: string }) =>
      agent.client.task.progress({ taskId: claim.taskId, attempt: claim.attempt, progress });

    await tell({ percentage: 12.5 });
    await tell({ percentage: 80, message: 'Eight of ten files.' });
    const running = await hasty.client.task.get({ taskId: taskId! });
    await agent.fail(claim);
    const afterwards = await hasty.client.task.get({ taskId: taskId! });

    expect(running.progress).toEqual({ percentage: 80, message: 'Eight of ten files.' });
    expect(afterwards.progress).toBeUndefined();
    await expect(tell({ percentage: 101 })).rejects.toMatchObject({ kind: 'invalid_params' });
    await expect(tell({ percentage: 90 })).rejects.toMatchObject({ kind: 'claim_stale' });
  });
});

describe('completion', () => {
  test('Q8 no call leads from completed to running', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [taskId] = await submit({});
    const claim = await agent.claimOne();
    await agent.complete(claim, { output: { answer: 42 } });
    const { taskId: id, attempt } = claim;

    const refused = await Promise.allSettled([
      daemon.client.task.retry({ taskId: id }),
      daemon.client.task.cancel({ taskId: id }),
      agent.client.task.fail({ taskId: id, attempt, error: { message: 'Late.' } }),
      agent.client.task.release({ taskId: id, attempt }),
      agent.client.task.progress({ taskId: id, attempt, progress: { percentage: 10 } }),
      agent.client.task.complete({ taskId: id, attempt: attempt + 1, output: { answer: 43 } }),
    ]);

    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 'rejected'));
    expect(await agent.claim({ max: 10 })).toEqual([]);
    expect(await daemon.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'completed', attempt: 1, output: { answer: 42 } });
  });

  test('Q8 the same completion sent twice answers the same', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({});
    const claim = await agent.claimOne();

    const first = await agent.complete(claim, { output: 1, idempotencyKey: 'one' });
    const second = await agent.complete(claim, { output: 1, idempotencyKey: 'two' });

    expect(second).toEqual(first);
  });

  test('a result of almost a whole frame is stored and comes back; a larger one is refused, and the attempt goes on', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [large, tooLarge] = await submit({ priority: 'CRITICAL' }, {});
    const text = 'x'.repeat(3_900_000);
    await agent.complete(await agent.claimOne(), { output: { text } });
    const second = await agent.claimOne();

    const refused = agent.complete(second, { output: { text: text + text } });

    await expect(refused).rejects.toMatchObject({ kind: 'limit_exceeded', message: expect.stringContaining('4194304') as string });
    await agent.complete(second, { output: { text: 'It is in the store.' } });
    const { output } = await daemon.client.task.get({ taskId: large! });
    expect((output as { text: string }).text === text).toBe(true);
    expect(await daemon.client.task.get({ taskId: tooLarge! })).toMatchObject({
      state: 'completed',
      attempt: 1,
      output: { text: 'It is in the store.' },
    });
  });
});
