import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

// The coordinator of the agents looks at nothing by itself for a minute: what they are told they are told by a hint.
let here: Daemon;
let elsewhere: Daemon;
beforeAll(async () => {
  here = await startDaemon({ config: { sweepMs: 60_000, pollMs: 60_000 } });
  elsewhere = await startDaemon({ databaseUrl: here.databaseUrl!, config: { sweepMs: 100 } });
});
afterAll(async () => {
  await elsewhere.stop();
  await here.stop();
});

test('an agent is told when its task is cancelled at another coordinator', async () => {
  const { submit, agent } = await setUpBench(here);
  await submit({});
  const { taskId, attempt } = await agent.claimOne();

  await elsewhere.client.task.cancel({ taskId });

  expect(await agent.told('task/revoked')).toEqual({ taskId, attempt, reason: 'cancelled' });
});

test('an agent is told when the phase of its task is left at another coordinator', async () => {
  const { ticket, submit, agent } = await setUpBench(here);
  await submit({});
  const { taskId, attempt } = await agent.claimOne();

  await elsewhere.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED', reason: 'Something is missing.' });

  expect(await agent.told('task/revoked')).toEqual({ taskId, attempt, reason: 'phase_closed' });
});

test('an agent is told when another coordinator ends its attempt that took too long', async () => {
  const { submit, agent } = await setUpBench(here);
  await submit({ timeoutMs: 200 });
  const { taskId, attempt } = await agent.claimOne();

  expect(await agent.told('task/revoked')).toEqual({ taskId, attempt, reason: 'timed_out' });
});

test('the holder of a lock is told when another finds it expired at another coordinator', async () => {
  const [holder, finder] = [await here.connectAgent(), await elsewhere.connectAgent()];
  const key = `test:${crypto.randomUUID()}`;
  const { locks } = await holder.client.lock.acquire({ keys: [{ key }], ttlMs: 100 });

  await eventually(async () => expect(await outcomeOf(finder.client.lock.acquire({ keys: [{ key }] }))).toBe('accepted'));

  expect(await holder.told('lock/lost')).toEqual({ key, fence: locks[0]!.fence, reason: 'expired' });
});

test('the holder of a lock is told when another finds it expired at its own coordinator', async () => {
  const [holder, finder] = [await here.connectAgent(), await here.connectAgent()];
  const key = `test:${crypto.randomUUID()}`;
  const { locks } = await holder.client.lock.acquire({ keys: [{ key }], ttlMs: 100 });

  await eventually(async () => expect(await outcomeOf(finder.client.lock.acquire({ keys: [{ key }] }))).toBe('accepted'));

  expect(await holder.told('lock/lost')).toEqual({ key, fence: locks[0]!.fence, reason: 'expired' });
});

test('an agent is told when a newer one of its name takes its place at another coordinator', async () => {
  const older = await here.connectAgent();

  await elsewhere.connectAgent({ name: older.name });

  expect(await older.told('agent/sessionEnded')).toEqual({ sessionId: older.session.sessionId, reason: 'superseded' });
});

test('an agent is told when it is terminated at another coordinator, and its task goes to another agent', async () => {
  const { submit, agent, type } = await setUpBench(here);
  const successor = await elsewhere.connectAgent({ capabilities: [type] });
  await submit({});
  const { taskId } = await agent.claimOne();
  const { agentId, sessionId } = agent.session;

  await elsewhere.client.agent.setState({ agentId, state: 'terminated', reason: 'The test asks for it.' });

  expect(await agent.told('agent/sessionEnded')).toEqual({ sessionId, reason: 'terminated' });
  expect((await successor.claimOne()).taskId).toBe(taskId);
});

test('a claim that waits is looked at when its agent is made active at another coordinator', async () => {
  const { submit, agent } = await setUpBench(here);
  const { agentId } = agent.session;
  await elsewhere.client.agent.setState({ agentId, state: 'quarantined', reason: 'The test asks for it.' });
  const [taskId] = await submit({});
  const waiting = agent.claim({ waitMs: 30_000 });

  await elsewhere.client.agent.setState({ agentId, state: 'active', reason: 'It was mended.' });

  expect((await waiting).map((claim) => claim.taskId)).toEqual([taskId]);
});
