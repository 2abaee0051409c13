import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn, outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

describe('ticket/update', () => {
  test('changes what is named and keeps the rest', async () => {
    const { id: ticketId, version, metadata } = await daemon.client.ticket.create({ title: 'A', description: 'B', metadata: { c: 1 } });

    const updated = await daemon.client.ticket.update({ ticketId, version, title: 'A2', description: null });

    expect(updated).toMatchObject({ title: 'A2', metadata, priority: 'MEDIUM', version: version + 1 });
    expect(updated.description).toBeUndefined();
    expect(await daemon.client.ticket.get({ ticketId })).toEqual(updated);
  });

  test('of two who have read the same version one wins, and the other is told the version to read', async () => {
    const { id: ticketId, version } = await daemon.client.ticket.create({ title: 'Contended' });
    const rename = (title: string) => daemon.client.ticket.update({ ticketId, version, title });

    const outcomes = await Promise.allSettled([rename('one'), rename('other')]);

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { kind: 'version_conflict', data: { version, currentVersion: version + 1 } },
    });
  });

  test('a transition is a change too', async () => {
    const { id: ticketId, version } = await daemon.client.ticket.create({ title: 'Moved' });
    await daemon.client.ticket.transition({ ticketId, to: 'REQUIREMENTS' });

    expect(await outcomeOf(daemon.client.ticket.update({ ticketId, version, title: 'Late' }))).toBe('version_conflict');
  });

  test('what is over says what it said', async () => {
    const done = await createTicketIn(daemon.client, 'DONE');
    const { id } = await daemon.client.ticket.create({ title: 'Not wanted' });
    const cancelled = await daemon.client.ticket.cancel({ ticketId: id, reason: 'Nobody wants it.' });
    const rename = ({ id: ticketId, version }: typeof done) =>
      daemon.client.ticket.update({ ticketId, version, title: 'Late' }).catch((error: unknown) => error);

    expect(await rename(done)).toMatchObject({
      kind: 'phase_closed',
      message: expect.stringContaining('has come to its end in DONE') as string,
    });
    expect(await rename(cancelled)).toMatchObject({
      kind: 'phase_closed',
      message: expect.stringContaining('was cancelled in BACKLOG') as string,
    });
    expect((await daemon.client.ticket.get({ ticketId: done.id })).title).toBe(done.title);
  });

  test('a new priority is that of the waiting tasks which had the old one', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [own, inherited] = await submit({ ref: 'own', priority: 'LOW' }, { ref: 'inherited' });
    const { version } = await daemon.client.ticket.get({ ticketId: ticket.id });

    await daemon.client.ticket.update({ ticketId: ticket.id, version, priority: 'CRITICAL' });

    const priorityOf = async (taskId: string) => (await daemon.client.task.get({ taskId })).priority;
    expect([await priorityOf(own!), await priorityOf(inherited!)]).toEqual(['LOW', 'CRITICAL']);
    expect((await agent.claimOne()).taskId).toBe(inherited);
  });
});

describe('block and unblock', () => {
  test.each(['REQUIREMENTS', 'DEPLOYMENT'])('a ticket blocked in %s returns there', async (phase) => {
    const { id: ticketId } = await createTicketIn(daemon.client, phase);

    const blocked = await daemon.client.ticket.block({ ticketId, reason: 'The server is away.' });
    const unblocked = await daemon.client.ticket.unblock({ ticketId });

    expect(blocked.ticket).toMatchObject({ phase: 'BLOCKED', state: 'blocked', blockedReason: 'The server is away.' });
    expect(unblocked.ticket).toMatchObject({ phase, state: 'open', previousPhase: 'BLOCKED' });
    expect(unblocked.ticket.blockedReason).toBeUndefined();
  });

  test('what is not blocked cannot be unblocked, and what is blocked not blocked again', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'DESIGN');

    expect(await outcomeOf(daemon.client.ticket.unblock({ ticketId }))).toBe('transition_refused');
    await daemon.client.ticket.block({ ticketId, reason: 'Once.' });
    expect(await outcomeOf(daemon.client.ticket.block({ ticketId, reason: 'Twice.' }))).toBe('transition_refused');
  });
});

describe('ticket/cancel', () => {
  test('ends the ticket for good: its tasks are cancelled, and nothing moves or joins it any more', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [running, waiting] = await submit({}, {});
    const claim = await agent.claimOne();

    const cancelled = await daemon.client.ticket.cancel({ ticketId: ticket.id, reason: 'Nobody wants it.' });

    expect(cancelled).toMatchObject({ state: 'cancelled', phase: 'REQUIREMENTS' });
    const states = await Promise.all([running!, waiting!].map(async (taskId) => (await daemon.client.task.get({ taskId })).state));
    expect(states).toEqual(['cancelled', 'cancelled']);
    expect(await outcomeOf(agent.complete(claim))).toBe('claim_stale');
    expect(await outcomeOf(submit({}))).toBe('phase_closed');
    expect(await outcomeOf(daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED' }))).toBe('transition_refused');
    expect(await outcomeOf(daemon.client.ticket.block({ ticketId: ticket.id, reason: 'x' }))).toBe('transition_refused');
    expect((await daemon.client.ticket.validTransitions({ ticketId: ticket.id })).transitions).toEqual([]);
  });

  test('again it is no error and changes nothing', async () => {
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Cancelled twice' });
    const first = await daemon.client.ticket.cancel({ ticketId, reason: 'Once.' });

    expect(await daemon.client.ticket.cancel({ ticketId, reason: 'Twice.' })).toEqual(first);
  });

  test('a ticket that has come to its end stays there, and says why', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'DONE');
    const over = { kind: 'transition_refused', message: expect.stringContaining('has come to its end in DONE') as string };

    await expect(daemon.client.ticket.block({ ticketId, reason: 'Late.' })).rejects.toMatchObject(over);
    await expect(daemon.client.ticket.transition({ ticketId, to: 'TESTING' })).rejects.toMatchObject(over);

    expect(await outcomeOf(daemon.client.ticket.cancel({ ticketId, reason: 'Late.' }))).toBe('transition_refused');
  });
});

test('tickets are listed by phase, state, priority, workflow and a part of the title', async () => {
  const mark = uniqueType();
  const made = await daemon.client.ticket.create({ title: `One 100% of ${mark.toUpperCase()}`, priority: 'HIGH' });
  await daemon.client.ticket.create({ title: `Another of ${mark}` });
  const list = async (query: Parameters<typeof daemon.client.ticket.list>[0]) =>
    (await daemon.client.ticket.list({ ...query, limit: 1_000 })).tickets.map(({ id }) => id);

  expect(await list({ title: `100% of ${mark}` })).toEqual([made.id]);
  expect(await list({ title: mark, priorities: ['HIGH'] })).toEqual([made.id]);
  expect(await list({ title: mark, workflow: 'software-delivery', states: ['open'], phase: 'BACKLOG' })).toHaveLength(2);
  expect(await list({ title: mark, workflow: 'no-such-workflow' })).toEqual([]);
});

test('the history tells how long the ticket has been where it is by the clock of the database, though that of the coordinator is ahead', async () => {
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Here for a moment' });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());

  const { visits } = await daemon.client.ticket.history({ ticketId });

  expect(visits[0]?.durationMs).toBeLessThan(3_600_000);
});
