import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

describe('task/retry', () => {
  test('a task is not claimable while a dependency that was retried has not ended, though it would run without it', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [p1, , dependent] = await submit(
      { ref: 'p1', maxAttempts: 1 },
      { ref: 'p2' },
      { ref: 'd', dependsOn: ['p1', 'p2'], onDependencyFailure: 'run', input: { from: '{{ tasks.p1.output }}' } },
    );
    const claims = await agent.claim({ max: 2 });
    await agent.fail(
      claims.find(({ ref }) => ref === 'p1')!,
      { permanent: true },
    );

    await daemon.client.task.retry({ taskId: p1! });
    await agent.complete(claims.find(({ ref }) => ref === 'p2')!);
    const between = (await daemon.client.task.get({ taskId: dependent! })).state;
    await agent.complete(await agent.claimOne(), { output: 'of the second life' });

    expect(between).toBe('blocked');
    expect(await agent.claimOne()).toMatchObject({ taskId: dependent, input: { from: 'of the second life' } });
  });

  test('a ticket has no more open tasks by way of it than it may have', async () => {
    await using small = await startDaemon({ config: { ticketTasksMax: 5 } });
    const { ticket, agent, submit } = await setUpBench(small);
    const old = await submit({}, {}, {}, {}, {});
    await small.client.task.cancelAll({ ticketId: ticket.id });
    await submit({}, {}, {}, {}, {});

    const outcomes = await Promise.all(old.map((taskId) => outcomeOf(small.client.task.retry({ taskId }))));
    await agent.complete(await agent.claimOne());
    const later = await outcomeOf(small.client.task.retry({ taskId: old[0]! }));

    expect(outcomes).toEqual(old.map(() => 'limit_exceeded'));
    expect(later).toBe('accepted');
    expect((await small.client.task.list({ ticketId: ticket.id, states: ['ready'] })).tasks).toHaveLength(5);
  });
});

test('the open children of a task that has completed can be cancelled with it', async () => {
  const { agent, ticket, submit, type } = await setUpBench(daemon);
  await submit({});
  const claim = await agent.claimOne();
  const { taskId, attempt } = claim;
  const { tasks } = await agent.client.task.submit({ ticketId: ticket.id, tasks: [{ type, ref: 'child' }], parent: { taskId, attempt } });
  await agent.complete(claim);

  const alone = await outcomeOf(daemon.client.task.cancel({ taskId }));
  const answer = await daemon.client.task.cancel({ taskId, children: true });

  expect(alone).toBe('task_state_refused');
  expect(answer).toEqual({ taskId, state: 'completed', cancelledCount: 1 });
  expect((await daemon.client.task.get({ taskId: tasks[0]!.id })).state).toBe('cancelled');
});

describe('a reservation', () => {
  /** A task that is kept for one agent, and another agent that could do it. */
  async function reserve() {
    const { agent, type, submit } = await setUpBench(daemon);
    const other = await daemon.connectAgent({ capabilities: [type] });
    const [taskId] = await submit({});
    await daemon.client.scheduler.assign({ agentIds: [agent.session.agentId], forMs: 600_000 });
    return { agent, other, taskId: taskId!, agentId: agent.session.agentId };
  }

  test.each(['terminated', 'quarantined', 'maintenance'] as const)('ends when its agent is %s', async (state) => {
    const { other, agentId } = await reserve();

    await daemon.client.agent.setState({ agentId, state, reason: 'gone' });

    expect(await other.claim({ max: 1, waitMs: 5_000 })).toHaveLength(1);
  });

  test('ends when its agent takes no work, drains or goes', async () => {
    for (const act of ['setAvailability', 'drain', 'deregister'] as const) {
      const { agent, other } = await reserve();

      if (act === 'setAvailability') await agent.client.agent.setAvailability({ available: false });
      else await agent.client.agent[act]({});

      expect(await other.claim({ max: 1, waitMs: 5_000 })).toHaveLength(1);
    }
  });

  test('is forgotten by a task that is retried', async () => {
    const { other, taskId } = await reserve();
    await daemon.client.task.cancel({ taskId });

    await daemon.client.task.retry({ taskId });

    expect(await other.claim({ max: 1, waitMs: 5_000 })).toHaveLength(1);
  });
});

test('it is told in the events that an agent drains, and that it works again in its next session', async () => {
  const { agent, type } = await setUpBench(daemon);

  await agent.client.agent.drain({});
  await agent.client.agent.drain({});
  await daemon.connectAgent({ name: agent.name, capabilities: [type] });

  const { events } = await daemon.client.event.list({ limit: 1_000 });
  const changes = events.flatMap(({ name, data }) =>
    name === 'agent.stateChanged' && data['agentName'] === agent.name ? [[data['from'], data['to']]] : [],
  );
  expect(changes).toEqual([
    ['active', 'draining'],
    ['draining', 'active'],
  ]);
});
