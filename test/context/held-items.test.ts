import type { ContextKind } from '@baton/protocol';
import { expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { createHeldItems } from '../../coordinator/src/context/held-items.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import { startDaemon } from '../support/daemon.ts';

test('of a ticket with more items than are held, those are held that are needed most, whatever changes', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const { client } = daemon;
  const { id: ticketId } = await client.ticket.create({ title: 'Much is noted' });
  const note = (kind: ContextKind, text: string, pinned = false) => client.context.note({ ticketId, item: { kind, text, pinned } });
  await note('constraint', 'Keep the index.');
  await note('fact', 'It is pinned.', true);
  await note('fact', 'It is old.');
  await note('fact', 'It is newer.');
  const { em, close } = await openStore(configSchema.parse({ databaseUrl: daemon.databaseUrl }));
  const held = createHeldItems(3);
  const textsOf = async () => (await held.read(em.fork(), ticketId, [1])).items.map(({ text }) => text);

  const first = await textsOf();
  await note('fact', 'It is newest.');
  const afterNote = await textsOf();
  await client.context.supersede({ ticketId, citation: 'c:5', by: 'c:1', reason: 'It is not.' });
  const afterLoss = await textsOf();
  await close();

  expect(first).toEqual(['Keep the index.', 'It is pinned.', 'It is newer.']);
  expect(afterNote).toEqual(['Keep the index.', 'It is pinned.', 'It is newest.']);
  expect(afterLoss).toEqual(first);
});
