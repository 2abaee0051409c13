import type { ContextKind } from '@baton/protocol';
import { expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { createHeldItems } from '../../coordinator/src/context/held-items.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import { runBatonAt } from '../support/command.ts';
import { startDaemon } from '../support/daemon.ts';
import { runStatement } from '../support/stores.ts';

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

test('of more items than are considered packs, aggregates and the command count the others', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const { client } = daemon;
  const { id: ticketId } = await client.ticket.create({ title: 'Much is noted' });
  await client.context.note({ ticketId, item: { kind: 'fact', text: 'Fact 1.' } });
  await runStatement(
    daemon.databaseUrl!,
    `insert into context_items (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, refs, pinned, author, source)
      select gen_random_uuid(), project_id, ticket_id, visit_id, phase, visit_number, n, kind, 'Fact ' || n || '.', refs, pinned, author,
        case when n between 3 and 5 then 'summary' else source end
        from context_items, generate_series(2, 20010) n where ticket_id = '${ticketId}'`,
  );
  const countOthers = async () => [
    (await client.context.get({ ticketId })).notConsidered,
    (await client.context.aggregate({ ticketId, limit: 100 })).omitted,
  ];

  const first = await countOthers();
  await client.context.note({ ticketId, item: { kind: 'constraint', text: 'Keep the index.' } });
  const afterNote = await countOthers();
  const { stdout } = await runBatonAt(daemon, 'context', ticketId);
  const { text } = await client.context.get({ ticketId });

  expect(first).toEqual([10, { items: 19_907, summaries: 3, artifacts: 0 }]);
  expect(afterNote).toEqual([11, { items: 19_908, summaries: 3, artifacts: 0 }]);
  expect(stdout).toContain('. 11 more hold and were not considered; `context/list` tells them.');
  expect(text).toContain('Keep the index.');
});

test('how many more hold is known after each change without all of them being counted again', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const { client } = daemon;
  const { id: ticketId } = await client.ticket.create({ title: 'Much is noted' });
  const note = (kind: ContextKind, text: string) => client.context.note({ ticketId, item: { kind, text } });
  const supersede = (citation: string, by: string) => client.context.supersede({ ticketId, citation, by, reason: 'It is not.' });
  for (const number of [1, 2, 3, 4, 5, 6]) await note('fact', `Fact ${number}.`);
  const { em, close } = await openStore(configSchema.parse({ databaseUrl: daemon.databaseUrl }));
  const held = createHeldItems(3);
  const count = async (of = held) => (await of.read(em.fork(), ticketId, [1])).notHeld.items;
  const changes: [change: () => Promise<unknown>, more: number][] = [
    [() => note('constraint', 'Keep the index.'), 4],
    [() => supersede('c:1', 'c:6'), 3],
    [() => note('fact', 'Fact 1.'), 4],
    [() => client.context.note({ ticketId, item: { kind: 'fact', text: 'Fact 2.', rationale: 'It was measured.' } }), 4],
    [() => client.context.pin({ ticketId, citation: 'c:7' }), 4],
    [() => note('fact', 'Fact 9.').then(() => supersede('c:9', 'c:7')), 4],
    [() => Promise.all([supersede('c:2', 'c:7'), supersede('c:3', 'c:7'), note('constraint', 'Keep the pool.')]), 3],
  ];

  expect(await count()).toBe(3);
  for (const [change, more] of changes) {
    await change();
    expect([await count(), await count(createHeldItems(3))]).toEqual([more, more]);
  }

  // No event tells of these: they are counted by whoever counts all.
  await runStatement(
    daemon.databaseUrl!,
    `insert into context_items (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, refs, pinned, author, source)
      select gen_random_uuid(), project_id, ticket_id, visit_id, phase, visit_number, 100 + n, kind, 'Fact ' || 100 + n || '.', refs, pinned, author, source
        from context_items, generate_series(1, 50) n where ticket_id = '${ticketId}' and number = 4`,
  );
  await note('constraint', 'Keep the order.');

  expect([await count(), await count(createHeldItems(3))]).toEqual([4, 54]);
  await close();
});

test('many items are all held, oldest first, however many are read at a time', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Much is noted' });
  await daemon.client.context.note({ ticketId, item: { kind: 'fact', text: 'Fact 1.' } });
  await runStatement(
    daemon.databaseUrl!,
    `insert into context_items (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, refs, pinned, author, source)
      select gen_random_uuid(), project_id, ticket_id, visit_id, phase, visit_number, n, kind, 'Fact ' || n || '.', refs, n = 1000, author, source
        from context_items, generate_series(2, 2500) n where ticket_id = '${ticketId}'`,
  );
  const { em, close } = await openStore(configSchema.parse({ databaseUrl: daemon.databaseUrl }));

  const { items } = await createHeldItems().read(em.fork(), ticketId, [1]);
  await close();

  expect(items.map(({ text }) => text)).toEqual(Array.from({ length: 2_500 }, (_, index) => `Fact ${index + 1}.`));
});
