import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { completeTaskWith, createTicketIn, requirementsDocument, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const visitsOf = async (ticketId: string) => (await daemon.client.ticket.history({ ticketId })).visits;

test('H1 the visit echoes from, to, by, reason and artifacts', async () => {
  const bench = await setUpBench(daemon);
  await completeTaskWith(bench, requirementsDocument(600));
  const agent = await daemon.connectAgent({ name: 'agent-123' });

  const { visit } = await agent.client.ticket.transition({
    ticketId: bench.ticket.id,
    to: 'DESIGN',
    reason: 'Requirements approved',
    artifacts: { spec_summary: 'approved' },
  });

  expect(visit).toMatchObject({
    from: 'REQUIREMENTS',
    to: 'DESIGN',
    by: 'agent-123',
    reason: 'Requirements approved',
    artifacts: { spec_summary: 'approved' },
    forced: false,
  });
  expect(await visitsOf(bench.ticket.id)).toContainEqual(
    expect.objectContaining({ number: visit.number, reason: 'Requirements approved', by: 'agent-123' }),
  );
});

test('H2, H6 each transition adds exactly one entry to the history', async () => {
  const { id } = await createTicketIn(daemon.client, 'BACKLOG');
  const before = await visitsOf(id);

  await daemon.client.ticket.transition({ ticketId: id, to: 'REQUIREMENTS' });
  const afterOne = await visitsOf(id);
  await daemon.client.ticket.transition({ ticketId: id, to: 'BLOCKED', reason: 'Waiting.' });
  const afterTwo = await visitsOf(id);

  expect([before.length, afterOne.length, afterTwo.length]).toEqual([1, 2, 3]);
});

test("H3 the entry's time is the database's: whatever the clock of the coordinator says", async () => {
  const { id, createdAt } = await createTicketIn(daemon.client, 'BACKLOG');
  // The embedded store has no other clock than its coordinator.
  if (daemon.databaseUrl !== undefined) vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());

  const { visit } = await daemon.client.ticket.transition({ ticketId: id, to: 'REQUIREMENTS' });

  vi.useRealTimers();
  const later = await createTicketIn(daemon.client, 'BACKLOG');
  const times = [createdAt, visit.enteredAt, later.createdAt];
  expect(times.toSorted()).toEqual(times);
});

test('H4 a transition sets the current and the previous phase', async () => {
  const { id } = await createTicketIn(daemon.client, 'BACKLOG');

  await daemon.client.ticket.transition({ ticketId: id, to: 'REQUIREMENTS' });

  expect(await daemon.client.ticket.get({ ticketId: id })).toMatchObject({ phase: 'REQUIREMENTS', previousPhase: 'BACKLOG', visit: 2 });
});

test('H5 a transition that is refused changes nothing and adds no entry', async () => {
  const { id } = await createTicketIn(daemon.client, 'REQUIREMENTS');
  const before = { ticket: await daemon.client.ticket.get({ ticketId: id }), visits: await visitsOf(id) };

  await expect(daemon.client.ticket.transition({ ticketId: id, to: 'DONE' })).rejects.toMatchObject({ kind: 'transition_refused' });

  const durationless = (visits: readonly object[]) => visits.map((visit) => ({ ...visit, durationMs: 0 }));
  expect(await daemon.client.ticket.get({ ticketId: id })).toEqual(before.ticket);
  expect(durationless(await visitsOf(id))).toEqual(durationless(before.visits));
});

test('H7 the history is in order however fast the ticket moves', async () => {
  const { id } = await createTicketIn(daemon.client, 'BACKLOG');
  const way = Array.from({ length: 10 }, () => ['BLOCKED', 'BACKLOG']).flat();
  for (const to of way) await daemon.client.ticket.transition({ ticketId: id, to });

  const visits = await visitsOf(id);

  expect(visits.map(({ number }) => number)).toEqual(visits.map((_, index) => index + 1));
  expect(visits.map(({ to }) => to)).toEqual(['BACKLOG', ...way]);
  expect(visits.slice(1).map(({ from }) => from)).toEqual(['BACKLOG', ...way].slice(0, -1));
});

test("H8 ticket/validTransitions answers the table's row", async () => {
  const { id } = await createTicketIn(daemon.client, 'TESTING');

  const { from, transitions } = await daemon.client.ticket.validTransitions({ ticketId: id });

  expect(from).toBe('TESTING');
  expect(transitions).toHaveLength(3);
  expect(transitions).toEqual(
    expect.arrayContaining([
      { to: 'DEPLOYMENT', kind: 'forward' },
      { to: 'IMPLEMENTATION', kind: 'regression' },
      { to: 'BLOCKED', kind: 'block' },
    ]),
  );
});

test('H9 an unknown ticket is ticket_not_found', async () => {
  const unknown = { ticketId: randomUUID() };

  await expect(daemon.client.ticket.get(unknown)).rejects.toMatchObject({ kind: 'ticket_not_found' });
  await expect(daemon.client.ticket.history(unknown)).rejects.toMatchObject({ kind: 'ticket_not_found' });
  await expect(daemon.client.ticket.transition({ ...unknown, to: 'DESIGN' })).rejects.toMatchObject({ kind: 'ticket_not_found' });
});

test.each([
  ['past a gate', { force: true, reason: 'Both at once.' }],
  ['through a gate that lets it go', {}],
])('H10 of two transitions at once %s one wins, with one entry and one event', async (_, how) => {
  const bench = await setUpBench(daemon);
  await completeTaskWith(bench, requirementsDocument(600));
  const ticketId = bench.ticket.id;
  const [one, two] = await Promise.all([daemon.connect(), daemon.connect()]);
  const { lastSeq } = await daemon.client.event.list({ ticketId, limit: 1_000 });

  const outcomes = await Promise.allSettled([one, two].map(({ client }) => client.ticket.transition({ ticketId, to: 'DESIGN', ...how })));

  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { kind: 'transition_refused' } });
  expect((await visitsOf(ticketId)).filter(({ to }) => to === 'DESIGN')).toHaveLength(1);
  const { events } = await daemon.client.event.list({ ticketId, after: lastSeq });
  expect(events.filter(({ name }) => name === 'ticket.transitioned')).toHaveLength(1);
});
