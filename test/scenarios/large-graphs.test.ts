import type { NewTaskInput, TaskState } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from 'pg';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type Bench, outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let database: Client;
beforeAll(async () => {
  // Nobody beats while thousands of tasks are submitted.
  daemon = await startDaemon({ store: 'postgresql', config: { leaseMs: 3_600_000 } });
  database = new Client(daemon.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await daemon.stop();
});

const size = 10_000;
type Node = Omit<NewTaskInput, 'type'>;

/** Layers of a hundred; each task depends on three of the layer before. */
const layered = (): Node[] =>
  Array.from({ length: size }, (_, index) => ({
    ref: `t${index}`,
    dependsOn: index < 100 ? [] : [0, 33, 66].map((step) => `t${(Math.floor(index / 100) - 1) * 100 + ((index + step) % 100)}`),
  }));
const chain = (): Node[] =>
  Array.from({ length: size }, (_, index) => ({ ref: `t${index}`, dependsOn: index === 0 ? [] : [`t${index - 1}`] }));
const star = (): Node[] => Array.from({ length: size }, (_, index) => ({ ref: `t${index}`, dependsOn: index === 0 ? [] : ['t0'] }));

async function countStates(ticketId: string): Promise<Partial<Record<TaskState, number>>> {
  const { rows } = await database.query<{ state: TaskState; n: number }>(
    'select state, count(*)::int as n from tasks where ticket_id = $1 group by state',
    [ticketId],
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** How many events of a name the ticket has, and how long the longest is. */
async function measureEvents(ticketId: string, name: string): Promise<{ count: number; longest: number }> {
  const { rows } = await database.query<{ count: number; longest: number }>(
    'select count(*)::int as count, max(length(data::text))::int as longest from events where ticket_id = $1 and name = $2',
    [ticketId, name],
  );
  return rows[0]!;
}

describe('a graph of 10,000 tasks', () => {
  test('is submitted in one call, ready where nothing is waited for, and worked off layer by layer', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon, { capacity: 1_000 });

    const ids = await submit(...layered());
    const before = await countStates(ticket.id);
    const claims = await agent.claim({ max: 1_000 });
    await Promise.all(claims.map((claim) => agent.complete(claim)));

    expect(new Set(ids).size).toBe(size);
    expect(before).toEqual({ ready: 100, blocked: size - 100 });
    expect(claims).toHaveLength(100);
    expect(await countStates(ticket.id)).toEqual({ completed: 100, ready: 100, blocked: size - 200 });
  });

  test.each([
    ['one behind the other', chain],
    ['all behind one', star],
  ])('%s is skipped in one transaction when the first fails, and reopened when that is retried', async (_, graph) => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [first] = await submit(...graph().map((node, index) => ({ ...node, ...(index === 0 && { maxAttempts: 1 }) })));

    const { state } = await agent.fail(await agent.claimOne());
    const skipped = await countStates(ticket.id);
    await daemon.client.task.retry({ taskId: first! });

    expect(state).toBe('failed');
    expect(skipped).toEqual({ failed: 1, skipped: size - 1 });
    expect(await countStates(ticket.id)).toEqual({ ready: 1, blocked: size - 1 });
    const { count, longest } = await measureEvents(ticket.id, 'task.skipped');
    expect(count).toBe(size - 1);
    expect(longest).toBeLessThan(500);
  });

  test('is ready but for the first when that one is completed', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    await submit(...star());

    await agent.complete(await agent.claimOne());

    expect(await countStates(ticket.id)).toEqual({ completed: 1, ready: size - 1 });
    expect(await agent.claim({ max: 10 })).toHaveLength(10);
  });

  test('is cancelled when its ticket leaves the phase', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    await submit(...layered());

    await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED', reason: 'Too much.' });

    expect(await countStates(ticket.id)).toEqual({ cancelled: size });
    expect((await measureEvents(ticket.id, 'task.cancelled')).count).toBe(size);
  });

  test('is cancelled with all that waits for its first task', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const [first] = await submit(...chain());

    const { cancelledCount } = await daemon.client.task.cancel({ taskId: first!, dependents: 'cancel' });

    expect(cancelledCount).toBe(size);
    expect(await countStates(ticket.id)).toEqual({ cancelled: size });
  });

  test('D6 with a cycle of 5,000 is refused with its path, and nothing is stored', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const graph = chain().map((node, index) => (index === 0 ? { ...node, dependsOn: ['t4999'] } : node));

    const refused = await submit(...graph).catch((error: unknown) => error as { kind: string; data: { path: string[]; length: number } });

    expect(refused).toMatchObject({ kind: 'dependency_cycle', data: { length: 5_000 } });
    const { path } = (refused as { data: { path: string[] } }).data;
    expect(path).toHaveLength(5_001);
    expect(path.at(-1)).toBe(path[0]);
    expect(isWalk(path)).toBe(true);
    expect(await countStates(ticket.id)).toEqual({});
  });

  test('D6 with one unknown or one repeated name is refused, and nothing is stored', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const last = (node: Node) => submit(...layered().slice(0, -1), node);

    const outcomes = [await outcomeOf(last({ dependsOn: ['t99999'] })), await outcomeOf(last({ ref: 't5000' }))];

    expect(outcomes).toEqual(['dependency_unknown', 'reference_duplicate']);
    expect(await countStates(ticket.id)).toEqual({});
  });

  test('is added to by one that depends on a thousand of it', async () => {
    const { submit }: Bench = await setUpBench(daemon);
    await submit(...layered());

    const [last] = await submit({
      dependsOn: layered()
        .slice(-1_000)
        .map(({ ref }) => ref!),
    });

    expect(await daemon.client.task.get({ taskId: last! })).toMatchObject({ state: 'blocked', pendingDependencies: 1_000 });
  });
});

/** Each task of a chain depends on the one before, and the first on the last of the circle. */
const isWalk = (path: readonly string[]): boolean =>
  path.slice(1).every((name, index) => {
    const [from, to] = [Number(path[index]!.slice(1)), Number(name.slice(1))];
    return to === from - 1 || (from === 0 && to === 4_999);
  });
