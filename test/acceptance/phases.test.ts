import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn, mainLine, outcomeOf } from '../support/work.ts';

const phases = [...mainLine, 'BLOCKED'];

/** The table of the design. A ticket in BLOCKED was blocked in BACKLOG here. */
const table: Readonly<Record<string, readonly string[]>> = {
  BACKLOG: ['REQUIREMENTS', 'BLOCKED'],
  REQUIREMENTS: ['DESIGN', 'BLOCKED'],
  DESIGN: ['IMPLEMENTATION', 'BLOCKED'],
  IMPLEMENTATION: ['TESTING', 'BLOCKED'],
  TESTING: ['DEPLOYMENT', 'IMPLEMENTATION', 'BLOCKED'],
  DEPLOYMENT: ['DONE', 'BLOCKED'],
  DONE: [],
  BLOCKED: ['BACKLOG', 'REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION', 'TESTING'],
};

const pairs = phases.flatMap((from) => phases.map((to) => ({ from, to })));

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const move = (ticketId: string, to: string) =>
  daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'A test of the edges.' });

describe('the phases of software-delivery', () => {
  test('P1 phase/list answers the eight phases', async () => {
    const { phases: listed } = await daemon.client.phase.list();

    expect(listed.map(({ name }) => name)).toEqual(phases);
  });

  test('P2 without BLOCKED they lead from BACKLOG to DONE', async () => {
    const { phases: listed } = await daemon.client.phase.list();

    expect(listed.map(({ name }) => name).filter((name) => name !== 'BLOCKED')).toEqual([...mainLine]);
  });
});

describe('the edges', () => {
  const allowed = [
    ['BACKLOG', 'REQUIREMENTS'],
    ['REQUIREMENTS', 'DESIGN'],
    ['DESIGN', 'IMPLEMENTATION'],
    ['IMPLEMENTATION', 'TESTING'],
    ['TESTING', 'DEPLOYMENT'],
    ['TESTING', 'IMPLEMENTATION'],
    ['BLOCKED', 'REQUIREMENTS'],
  ] as const;

  test.each(allowed)('P3 %s to %s is allowed', async (from, to) => {
    const { id } = await createTicketIn(daemon.client, from);

    const { ticket } = await move(id, to);

    expect(ticket.phase).toBe(to);
  });

  const refused = [
    ['BACKLOG', 'DEPLOYMENT'],
    ['REQUIREMENTS', 'DONE'],
    ['DONE', 'IMPLEMENTATION'],
  ] as const;

  test.each(refused)('P4 %s to %s is refused', async (from, to) => {
    const { id } = await createTicketIn(daemon.client, from);

    await expect(move(id, to)).rejects.toMatchObject({ kind: 'transition_refused' });
  });

  test.each(pairs)('P5 $from to $to is as the table says', async ({ from, to }) => {
    const { id } = await createTicketIn(daemon.client, from);

    const outcome = await outcomeOf(move(id, to));

    expect(outcome).toBe(table[from]!.includes(to) ? 'accepted' : 'transition_refused');
  });

  test('P5 DONE has no way out', async () => {
    const { id } = await createTicketIn(daemon.client, 'DONE');

    const { transitions } = await daemon.client.ticket.validTransitions({ ticketId: id });

    expect(transitions).toEqual([]);
  });

  test('P6 a ticket blocked in DEPLOYMENT may return to DEPLOYMENT', async () => {
    const { id } = await createTicketIn(daemon.client, 'DEPLOYMENT');
    await move(id, 'BLOCKED');

    const { ticket } = await move(id, 'DEPLOYMENT');

    expect(ticket.phase).toBe('DEPLOYMENT');
  });

  test('P6 a ticket blocked in DESIGN may not go to DEPLOYMENT', async () => {
    const { id } = await createTicketIn(daemon.client, 'DESIGN');
    await move(id, 'BLOCKED');

    await expect(move(id, 'DEPLOYMENT')).rejects.toMatchObject({ kind: 'transition_refused' });
  });

  test('P7 an unknown phase is refused and never stored', async () => {
    const { id } = await createTicketIn(daemon.client, 'REQUIREMENTS');

    await expect(move(id, 'PHASE_BANANA')).rejects.toMatchObject({
      kind: expect.stringMatching(/^(phase_unknown|invalid_params)$/) as string,
    });

    expect((await daemon.client.ticket.get({ ticketId: id })).phase).toBe('REQUIREMENTS');
  });
});
