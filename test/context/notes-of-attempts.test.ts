import type { NewContextItemInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { backoffBaseMs: 1 } });
});
afterAll(() => daemon.stop());

const risk: NewContextItemInput = { kind: 'risk', text: 'The disk is full.' };
const itemsOf = async (ticketId: string) => (await daemon.client.context.list({ ticketId, limit: 1_000 })).items;

/** The two ways to end an attempt without a result, each with what it notes. */
const ends = {
  fail: ({ client }: Bench['agent'], fence: Fence, context: NewContextItemInput[]) =>
    client.task.fail({ ...fence, error: { message: 'No.' }, context }),
  release: ({ client }: Bench['agent'], fence: Fence, context: NewContextItemInput[]) => client.task.release({ ...fence, context }),
};
type Bench = Awaited<ReturnType<typeof setUpBench>>;
type Fence = { readonly taskId: string; readonly attempt: number; readonly idempotencyKey?: string };

async function begin() {
  const bench = await setUpBench(daemon);
  await bench.submit({ maxAttempts: 3 });
  const { taskId, attempt } = await bench.agent.claimOne();
  return { ...bench, ticketId: bench.ticket.id, fence: { taskId, attempt } };
}

describe.each(['fail', 'release'] as const)('what an attempt notes that ends with task/%s', (how) => {
  test('is kept as the word of the agent, with its task, attempt and phase, and reaches the next attempt', async () => {
    const { agent, ticketId, fence } = await begin();

    await ends[how](agent, fence, [risk]);

    expect(await itemsOf(ticketId)).toMatchObject([
      { ...risk, source: 'said', author: agent.name, taskId: fence.taskId, attempt: 1, phase: 'REQUIREMENTS', visit: 2 },
    ]);
    expect(await agent.claimOne()).toMatchObject({ taskId: fence.taskId, attempt: 2 });
    const { text } = await agent.client.context.get({ ticketId });
    expect(text).toBe('## Risks\n- The disk is full. [c:1, REQUIREMENTS]\n');
  });

  test('is kept once where the call is sent again, and the same key with other notes is refused', async () => {
    const { agent, ticketId, fence } = await begin();
    const keyed = { ...fence, idempotencyKey: crypto.randomUUID() };
    const once = await ends[how](agent, keyed, [risk]);

    const again = await ends[how](agent, keyed, [risk]);
    const other = outcomeOf(ends[how](agent, keyed, [{ kind: 'fact', text: 'The disk has room.' }]));

    expect(again).toMatchObject({ taskId: once.taskId, attempt: once.attempt, state: once.state });
    expect(await other).toBe('idempotency_conflict');
    expect((await itemsOf(ticketId)).map(({ text }) => text)).toEqual(['The disk is full.']);
  });

  test('is that of the first of two calls made at once', async () => {
    const { agent, ticketId, fence } = await begin();
    const other: NewContextItemInput = { kind: 'fact', text: 'The disk has room.' };

    const outcomes = await Promise.all([ends[how](agent, fence, [risk]), ends[how](agent, fence, [other])].map(outcomeOf));

    expect(outcomes).toEqual(['accepted', 'accepted']);
    expect((await itemsOf(ticketId)).map(({ text }) => text)).toEqual(['The disk is full.']);
  });

  test('is nothing once the attempt is stale', async () => {
    const { agent, ticketId, fence } = await begin();
    await agent.client.task.release(fence);
    await agent.claimOne();

    const late = outcomeOf(ends[how](agent, { ...fence, idempotencyKey: 'late' }, [risk]));

    expect(await late).toBe(how === 'fail' ? 'claim_stale' : 'accepted');
    expect(await itemsOf(ticketId)).toEqual([]);
  });

  test('stays given up where the ticket has given it up since the attempt began', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await daemon.client.context.note({ ticketId, item: risk });
    await bench.submit({});
    const claim = await bench.agent.claimOne();
    const by = { kind: 'fact' as const, text: 'The disk has room.' };
    await daemon.client.context.supersede({ ticketId, citation: 'c:1', by, reason: 'A new one was built in.' });

    await ends[how](bench.agent, { taskId: claim.taskId, attempt: claim.attempt }, [risk]);

    expect(await itemsOf(ticketId)).toMatchObject([
      { citation: 'c:1', superseded: { by: 'c:2' } },
      { citation: 'c:2', text: 'The disk has room.' },
      { citation: 'c:3', author: bench.agent.name, superseded: { by: 'c:2', reason: 'A new one was built in.' } },
    ]);
    const { text } = await daemon.client.context.get({ ticketId });
    expect(text).toBe('## Facts\n- The disk has room. [c:2, REQUIREMENTS]\n');
  });

  test('is refused as a whole where one note does not fit, and the attempt goes on', async () => {
    const { agent, ticketId, fence } = await begin();

    const refused = ends[how](agent, fence, [risk, { kind: 'fact', text: ' ' }]);

    await expect(refused).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path: 'context[1].text', message: expect.stringContaining('Say something') }] },
    });
    expect(await itemsOf(ticketId)).toEqual([]);
    await agent.client.task.complete(fence);
  });
});

describe('what is noted for an attempt', () => {
  test('is kept after the coordinator has ended it, with its task and attempt, in the phase that the ticket is in by then', async () => {
    const { agent, ticketId, fence } = await begin();
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test wants it.' });

    const noted = await agent.client.context.note({ ticketId, ...fence, item: risk });

    expect(noted).toMatchObject({ ...risk, author: agent.name, ...fence, phase: 'DESIGN', visit: 3 });
  });

  test('is kept where the session of its agent was lost, and another goes on', async () => {
    const { agent, ticketId, fence } = await begin();
    const again = await daemon.connectAgent({ name: agent.name, capabilities: [] });

    expect(await outcomeOf(agent.client.context.note({ ticketId, ...fence, item: risk }))).toBe('session_unknown');
    expect(await again.client.context.note({ ticketId, ...fence, item: risk })).toMatchObject({ author: agent.name, ...fence });
  });

  test('is refused where another agent notes it, and where there was no such attempt', async () => {
    const { agent, ticketId, fence } = await begin();
    const other = await daemon.connectAgent({ capabilities: [] });

    expect(await outcomeOf(other.client.context.note({ ticketId, ...fence, item: risk }))).toBe('claim_stale');
    expect(await outcomeOf(agent.client.context.note({ ticketId, ...fence, attempt: 2, item: risk }))).toBe('claim_stale');
    expect(await itemsOf(ticketId)).toEqual([]);
  });

  test('stays given up where the ticket has given it up since the attempt began, and is answered so', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await daemon.client.context.note({ ticketId, item: risk });
    await bench.submit({});
    const { taskId, attempt } = await bench.agent.claimOne();
    const by = { kind: 'fact' as const, text: 'The disk has room.' };
    await daemon.client.context.supersede({ ticketId, citation: 'c:1', by, reason: 'A new one was built in.' });

    const noted = await bench.agent.client.context.note({ ticketId, taskId, attempt, item: risk });

    expect(noted).toMatchObject({ citation: 'c:3', taskId, superseded: { by: 'c:2', reason: 'A new one was built in.' } });
    expect((await daemon.client.context.get({ ticketId })).text).toBe('## Facts\n- The disk has room. [c:2, REQUIREMENTS]\n');
  });
});

test('a release of another session stores nothing', async () => {
  const { ticketId, fence } = await begin();
  const other = await daemon.connectAgent({ capabilities: [] });

  expect(await outcomeOf(ends.release(other, fence, [risk]))).toBe('claim_stale');
  expect(await itemsOf(ticketId)).toEqual([]);
});
