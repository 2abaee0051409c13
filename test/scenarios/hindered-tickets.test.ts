import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const hindrance = /^It cannot go on from MAKE: .*by-hand/;

/** A ticket that a gate refuses, in a phase whose next round depends on a task that nobody has submitted. */
async function setUp({ withEdge }: { readonly withEdge: boolean }) {
  const name = `hindered ${crypto.randomUUID()}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [
        {
          name: 'MAKE',
          advance: 'automatic',
          tasks: [{ type: uniqueType(), when: 'refused', dependsOn: ['by-hand'] }],
          gate: { artifacts: ['size'], tasksMin: 0 },
          onRefused: {},
        },
        { name: 'DONE' },
        ...(withEdge ? [{ name: 'STUCK' }] : []),
      ],
      edges: [{ from: 'MAKE', to: 'DONE', kind: 'forward' }, ...(withEdge ? [{ from: 'MAKE', to: 'STUCK', kind: 'block' } as const] : [])],
      ...(withEdge && { blockedPhase: 'STUCK' }),
    },
  });
  const events = await followEvents(daemon.connection);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Nowhere', workflow: { name } });
  return { ticketId, events };
}

test('what keeps a ticket from going on blocks it, with the reason', async () => {
  const { ticketId, events } = await setUp({ withEdge: true });

  await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId);

  expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({
    phase: 'STUCK',
    state: 'blocked',
    blockedReason: expect.stringMatching(hindrance) as string,
  });
});

test('where no edge leads to a blocked phase it stays, and says why', async () => {
  const { ticketId, events } = await setUp({ withEdge: false });

  await events.waitFor('ticket.hindered', ({ data }) => data.ticketId === ticketId);

  expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({
    phase: 'MAKE',
    state: 'open',
    blockedReason: expect.stringMatching(hindrance) as string,
  });
});
