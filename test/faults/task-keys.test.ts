import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

describe('a submission sent again with its key is answered as before', () => {
  async function submitOnce() {
    const { agent, ticket, type } = await setUpBench(daemon);
    const params = { ticketId: ticket.id, tasks: [{ type, ref: 'once' }], idempotencyKey: crypto.randomUUID() };
    return { agent, type, params, first: await agent.client.task.submit(params) };
  }

  test('after its agent has begun a new session', async () => {
    const { agent, type, params, first } = await submitOnce();

    await agent.disconnect();
    const again = await daemon.connectAgent({ name: agent.name, capabilities: [type] });

    expect(await again.client.task.submit(params)).toEqual(first);
  });

  test('over a connection that has not registered', async () => {
    const { params, first } = await submitOnce();

    expect(await daemon.client.task.submit(params)).toEqual(first);
  });
});

describe('the key of a call that ended an attempt', () => {
  async function claim() {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ maxAttempts: 1 });
    const { taskId, attempt } = await agent.claimOne();
    return { task: agent.client.task, fence: { taskId, attempt, idempotencyKey: crypto.randomUUID() } };
  }

  test('is refused with another result, and answers the same with the same', async () => {
    const { task, fence } = await claim();
    const once = await task.complete({ ...fence, output: 1 });

    expect(await outcomeOf(task.complete({ ...fence, output: 2 }))).toBe('idempotency_conflict');
    expect(await outcomeOf(task.fail({ ...fence, error: { message: 'no' } }))).toBe('idempotency_conflict');
    expect(await task.complete({ ...fence, output: 1 })).toEqual(once);
  });

  test('is refused with another failure, and answers the same with the same', async () => {
    const { task, fence } = await claim();
    const once = await task.fail({ ...fence, error: { message: 'It broke.' } });

    expect(await outcomeOf(task.fail({ ...fence, error: { message: 'It burned.' } }))).toBe('idempotency_conflict');
    expect(await outcomeOf(task.release({ ...fence }))).toBe('idempotency_conflict');
    expect(await task.fail({ ...fence, error: { message: 'It broke.' } })).toEqual(once);
  });

  test('is refused with another reason for a release', async () => {
    const { task, fence } = await claim();
    const once = await task.release({ ...fence, reason: 'Too hard.' });

    expect(await outcomeOf(task.release({ ...fence, reason: 'Too easy.' }))).toBe('idempotency_conflict');
    expect(await task.release({ ...fence, reason: 'Too hard.' })).toEqual(once);
  });
});
