import type { Claim } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const refs = (claims: readonly Claim[]) => claims.map(({ ref }) => ref ?? '');

describe('dependencies', () => {
  test('D1, R4 of a chain of three only the next is ready', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    await submit({ ref: 't1' }, { ref: 't2', dependsOn: ['t1'] }, { ref: 't3', dependsOn: ['t2'] });
    const readyNow = async () =>
      (await daemon.client.task.list({ ticketId: ticket.id, states: ['ready'] })).tasks.map(({ ref }) => ref ?? '');
    const seen: string[][] = [];

    for (let step = 0; step < 3; step += 1) {
      seen.push(await readyNow());
      const claims = await agent.claim({ max: 10 });
      seen.push(refs(claims));
      await agent.complete(claims[0]!);
    }

    expect(seen).toEqual([['t1'], ['t1'], ['t2'], ['t2'], ['t3'], ['t3']]);
  });

  test('D2 a diamond runs both sides at once, and the end after both', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ ref: 't1' }, { ref: 't2', dependsOn: ['t1'] }, { ref: 't3', dependsOn: ['t1'] }, { ref: 't4', dependsOn: ['t2', 't3'] });

    const top = await agent.claim({ max: 10 });
    await agent.complete(top[0]!);
    const sides = await agent.claim({ max: 10 });
    await agent.complete(sides[0]!);
    const between = await agent.claim({ max: 10 });
    await agent.complete(sides[1]!);
    const end = await agent.claim({ max: 10 });

    expect(refs(top)).toEqual(['t1']);
    expect(refs(sides).toSorted()).toEqual(['t2', 't3']);
    expect(between).toEqual([]);
    expect(refs(end)).toEqual(['t4']);
  });

  test('D5 two parents that complete at once make the child ready exactly once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { type, agent, submit } = await setUpBench(daemon);
      const other = await daemon.connectAgent({ capabilities: [type] });
      const [, , child] = await submit({ ref: 'a' }, { ref: 'b' }, { ref: 'child', dependsOn: ['a', 'b'] });
      const [one] = await agent.claim({ max: 1 });
      const [two] = await other.claim({ max: 1 });

      await Promise.all([agent.complete(one!), other.complete(two!)]);
      const claims = (await Promise.all([agent.claim({ max: 5 }), other.claim({ max: 5 })])).flat();

      expect(claims.map(({ taskId }) => taskId)).toEqual([child]);
      expect(await daemon.client.task.get({ taskId: child! })).toMatchObject({ pendingDependencies: 0, attempt: 1 });
    }
  });

  const mistakes = [
    [
      'a cycle',
      [
        { ref: 'a', dependsOn: ['b'] },
        { ref: 'b', dependsOn: ['a'] },
      ],
      'dependency_cycle',
    ],
    ['a task that depends on itself', [{ ref: 'a', dependsOn: ['a'] }], 'dependency_cycle'],
    ['an unknown dependency', [{ ref: 'a' }, { ref: 'b', dependsOn: ['nobody'] }], 'dependency_unknown'],
    ['an unknown task id', [{ ref: 'a', dependsOn: ['01890000-0000-7000-8000-000000000000'] }], 'dependency_unknown'],
    ['two tasks of one reference', [{ ref: 'a' }, { ref: 'a' }], 'reference_duplicate'],
  ] as const;

  test.each(mistakes)('D6 %s is refused and nothing is stored', async (_, tasks, kind) => {
    const { ticket, submit } = await setUpBench(daemon);

    await expect(
      submit(...tasks.map((task) => ({ ...task, dependsOn: 'dependsOn' in task ? [...task.dependsOn] : [] }))),
    ).rejects.toMatchObject({ kind });

    expect((await daemon.client.task.list({ ticketId: ticket.id })).tasks).toEqual([]);
  });

  test('D6 a dependency that is given twice is refused and nothing is stored', async () => {
    const { ticket, submit } = await setUpBench(daemon);

    const outcome = await outcomeOf(submit({ ref: 'a' }, { ref: 'b', dependsOn: ['a', 'a'] }));

    expect(outcome).toMatch(/^(invalid_params|reference_duplicate)$/);
    expect((await daemon.client.task.list({ ticketId: ticket.id })).tasks).toEqual([]);
  });

  test('D7 a failed dependency skips its dependents with the reason, all the way down', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [, b, c] = await submit(
      { ref: 'a', title: 'Parse', maxAttempts: 1 },
      { ref: 'b', dependsOn: ['a'] },
      { ref: 'c', dependsOn: ['b'] },
    );

    await agent.fail(await agent.claimOne());

    for (const taskId of [b!, c!])
      expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'skipped', reason: expect.any(String) as string });
    expect((await daemon.client.task.get({ taskId: b! })).reason).toContain('Parse');
  });

  test('D7 with onDependencyFailure run they run anyway', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'a', maxAttempts: 1 }, { ref: 'b', dependsOn: ['a'], onDependencyFailure: 'run' });

    await agent.fail(await agent.claimOne());

    expect(refs(await agent.claim())).toEqual(['b']);
  });

  test('D7 task/retry of the failed one reopens what was skipped because of it', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [a, b, c] = await submit({ ref: 'a', maxAttempts: 1 }, { ref: 'b', dependsOn: ['a'] }, { ref: 'c', dependsOn: ['b'] });
    await agent.fail(await agent.claimOne());

    await daemon.client.task.retry({ taskId: a! });
    const order: string[] = [];
    for (let step = 0; step < 3; step += 1) {
      const claim = await agent.claimOne();
      order.push(claim.ref ?? '');
      await agent.complete(claim);
    }

    expect(order).toEqual(['a', 'b', 'c']);
    for (const taskId of [a!, b!, c!]) expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'completed' });
  });
});

describe('what is handed out', () => {
  test('D3 CRITICAL before HIGH before LOW, whatever came first', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'low', priority: 'LOW' });
    await submit({ ref: 'high', priority: 'HIGH' });
    await submit({ ref: 'critical', priority: 'CRITICAL' });

    const claims = [await agent.claimOne(), await agent.claimOne(), await agent.claimOne()];

    expect(refs(claims)).toEqual(['critical', 'high', 'low']);
  });

  test('R1 nothing, when there is nothing', async () => {
    const { agent } = await setUpBench(daemon);

    expect(await agent.claim({ max: 10 })).toEqual([]);
  });

  test('R2 the one there is', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [only] = await submit({});

    expect((await agent.claim({ max: 10 })).map(({ taskId }) => taskId)).toEqual([only]);
  });

  test('R3 three of five, when three are asked for', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({}, {}, {}, {}, {});

    expect(await agent.claim({ max: 3 })).toHaveLength(3);
  });

  test('R5 all three that one made ready, at once', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'one' }, { ref: 'a', dependsOn: ['one'] }, { ref: 'b', dependsOn: ['one'] }, { ref: 'c', dependsOn: ['one'] });
    await agent.complete(await agent.claimOne());

    expect(refs(await agent.claim({ max: 10 })).toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('R6 in the order of priority within one answer', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'low', priority: 'LOW' }, { ref: 'critical', priority: 'CRITICAL' }, { ref: 'medium', priority: 'MEDIUM' });

    expect(refs(await agent.claim({ max: 10 }))).toEqual(['critical', 'medium', 'low']);
  });

  test('R7 a limit of 0 is -32602', async () => {
    const { agent } = await setUpBench(daemon);

    await expect(agent.claim({ max: 0 })).rejects.toMatchObject({ kind: 'invalid_params', code: -32602 });
  });
});
