import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const stateOf = async (taskId: string) => (await daemon.client.task.get({ taskId })).state;
const statesOf = (ids: readonly string[]) => Promise.all(ids.map(stateOf));

describe('what goes with a cancelled task', () => {
  const graph = [
    { ref: 'a' },
    { ref: 'b', dependsOn: ['a'] },
    { ref: 'c', dependsOn: ['b'], onDependencyFailure: 'run' as const },
    { ref: 'd', dependsOn: ['c'] },
  ];

  test('its dependents are skipped or run, as each of them says', async () => {
    const { submit } = await setUpBench(daemon);
    const ids = await submit(...graph);

    const { cancelledCount } = await daemon.client.task.cancel({ taskId: ids[0]! });

    expect(cancelledCount).toBe(1);
    expect(await statesOf(ids)).toEqual(['cancelled', 'skipped', 'ready', 'blocked']);
  });

  test('all that waits for it is cancelled as well where the caller says so', async () => {
    const { submit } = await setUpBench(daemon);
    const ids = await submit(...graph, { ref: 'apart' });

    const { cancelledCount } = await daemon.client.task.cancel({ taskId: ids[0]!, dependents: 'cancel', reason: 'Another way was found.' });

    expect(cancelledCount).toBe(4);
    expect(await statesOf(ids)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled', 'ready']);
    expect((await daemon.client.task.get({ taskId: ids[3]! })).reason).toBe('Another way was found.');
  });

  test('the tasks that it has submitted go on, or are cancelled with theirs where the caller says so', async () => {
    const { ticket, type, agent, submit } = await setUpBench(daemon);
    const [parent] = await submit({});
    const spawn = async (from: { taskId: string; attempt: number }) => {
      const { taskId, attempt } = from;
      const { tasks } = await agent.client.task.submit({ ticketId: ticket.id, tasks: [{ type }], parent: { taskId, attempt } });
      return tasks[0]!.id;
    };
    const claim = await agent.claimOne();
    const child = await spawn(claim);
    const childClaim = await agent.claimOne();
    const grandchild = await spawn(childClaim);
    await agent.complete(childClaim);

    await daemon.client.task.cancel({ taskId: parent! });
    const goesOn = await stateOf(grandchild);
    const { cancelledCount } = await daemon.client.task.cancel({ taskId: parent!, children: true });

    expect(goesOn).toBe('ready');
    expect(cancelledCount).toBe(1);
    expect(await statesOf([parent!, child, grandchild])).toEqual(['cancelled', 'completed', 'cancelled']);
  });

  test('again is no error and cancels nothing more', async () => {
    const { submit } = await setUpBench(daemon);
    const [taskId] = await submit({});

    const counts = [await daemon.client.task.cancel({ taskId: taskId! }), await daemon.client.task.cancel({ taskId: taskId! })];

    expect(counts).toEqual([
      { taskId, state: 'cancelled', cancelledCount: 1 },
      { taskId, state: 'cancelled', cancelledCount: 0 },
    ]);
  });
});

describe('the open tasks of a ticket', () => {
  test('are cancelled together; what has ended stays, and agents are told', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const other = await setUpBench(daemon);
    const [elsewhere] = await other.submit({});
    const ids = await submit({ ref: 'done' }, { ref: 'running' }, { ref: 'ready' }, { ref: 'blocked', dependsOn: ['running'] });
    await agent.complete(await agent.claimOne());
    const running = await agent.claimOne();

    const { cancelledCount } = await daemon.client.task.cancelAll({ ticketId: ticket.id, reason: 'The customer left.' });
    const told = await agent.told('task/revoked');

    expect(cancelledCount).toBe(3);
    expect(await statesOf(ids)).toEqual(['completed', 'cancelled', 'cancelled', 'cancelled']);
    expect(await stateOf(elsewhere!)).toBe('ready');
    expect(told).toEqual({ taskId: running.taskId, attempt: 1, reason: 'cancelled' });
    expect(await outcomeOf(agent.complete(running))).toBe('claim_stale');
  });

  test('are cancelled in some states only, and their dependents are decided about', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const ids = await submit(
      { ref: 'running' },
      { ref: 'ready' },
      { ref: 'after-running', dependsOn: ['running'] },
      { dependsOn: ['ready'] },
    );
    const running = await agent.claimOne();

    const { cancelledCount } = await daemon.client.task.cancelAll({ ticketId: ticket.id, states: ['ready'] });
    await agent.complete(running);

    expect(cancelledCount).toBe(1);
    expect(await statesOf(ids)).toEqual(['completed', 'cancelled', 'ready', 'skipped']);
  });

  test('are left alone where the ticket is in another phase than the caller thinks', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const [taskId] = await submit({});

    const outcome = await outcomeOf(daemon.client.task.cancelAll({ ticketId: ticket.id, phase: 'DESIGN' }));

    expect(outcome).toBe('phase_closed');
    expect(await stateOf(taskId!)).toBe('ready');
  });
});
