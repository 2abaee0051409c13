import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

test('G13 an operator may not force a gate', async () => {
  const { id } = await createTicketIn(daemon.client, 'REQUIREMENTS');
  const { client } = await daemon.connectAs('operator');

  const forced = client.ticket.transition({ ticketId: id, to: 'DESIGN', force: true, reason: 'I would like to.' });

  await expect(forced).rejects.toMatchObject({ kind: 'access_denied' });
  expect((await daemon.client.ticket.get({ ticketId: id })).phase).toBe('REQUIREMENTS');
});

test('an agent may not move a ticket, and a viewer may not change anything', async () => {
  const { id } = await createTicketIn(daemon.client, 'BACKLOG');
  const [agent, viewer] = await Promise.all([daemon.connectAs('agent'), daemon.connectAs('viewer')]);

  await expect(agent.client.ticket.transition({ ticketId: id, to: 'REQUIREMENTS' })).rejects.toMatchObject({ kind: 'access_denied' });
  await expect(viewer.client.agent.register({ name: 'spy', capabilities: ['look'] })).rejects.toMatchObject({ kind: 'access_denied' });
  expect((await viewer.client.ticket.get({ ticketId: id })).phase).toBe('BACKLOG');
});
