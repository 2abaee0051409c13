import { expect, test } from 'vitest';
import { isByOperator, supersedeStatement } from '../../coordinator/src/context/standing.store.ts';
import { startDaemon } from '../support/daemon.ts';
import { explainStatements } from '../support/explain.ts';
import { runStatement } from '../support/stores.ts';

test('whether a statement still holds is found without reading all that the ticket holds', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const { client, databaseUrl } = daemon;
  const { id: ticketId } = await client.ticket.create({ title: 'Much is noted' });
  const { id } = await client.context.note({ ticketId, item: { kind: 'fact', text: 'Fact 1.' } });
  await runStatement(
    databaseUrl!,
    `insert into context_items (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, refs, pinned, author, source)
      select gen_random_uuid(), project_id, ticket_id, visit_id, phase, visit_number, n, kind, 'Fact ' || n || '.', refs, pinned, author, source
        from context_items, generate_series(2, 5000) n where ticket_id = '${ticketId}'`,
  );
  await runStatement(databaseUrl!, 'vacuum analyze context_items');
  const statement = { ticketId, kind: 'fact', source: 'said', text: 'Fact 4000.' } as const;

  const plans = await explainStatements(databaseUrl!, async (em) => {
    await isByOperator(em, statement);
    await supersedeStatement(em, statement, { by: id, reason: 'It is not.' });
  });

  expect(plans).toHaveLength(2);
  const removed = plans.flat().flatMap((line) => /Rows Removed by Filter: (\d+)/.exec(line)?.slice(1).map(Number) ?? []);
  expect(Math.max(0, ...removed)).toBeLessThan(20);
  expect((await client.context.list({ ticketId, superseded: true })).items.map(({ text }) => text)).toEqual(['Fact 4000.']);
});
