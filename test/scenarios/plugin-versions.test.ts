import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { startDaemon } from '../support/daemon.ts';
import { createTestDatabase } from '../support/database.ts';
import { outcomeOf } from '../support/work.ts';

/** A package `careful` in this version, with a validator of the same name. */
async function writeCareful(fixture: PluginFixture, version: string, says: string): Promise<string> {
  const folder = await fixture.write('careful', { careful: says });
  const file = join(folder, 'package.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace('"1.0.0"', `"${version}"`));
  return folder;
}

test('what one version of a plugin let pass the next judges anew', async () => {
  await using database = await createTestDatabase();
  await using before = await createPluginFixture();
  await using after = await createPluginFixture();
  await using first = await startDaemon({
    databaseUrl: database.url,
    config: { plugins: [await writeCareful(before, '1.0.0', `info('looked', 'Nothing found.');`)] },
  });
  await using second = await startDaemon({
    databaseUrl: database.url,
    config: { plugins: [await writeCareful(after, '1.0.1', `fail('found', 'Something, after all.');`)] },
  });
  const gate = { tasksMin: 0, validators: [{ use: 'careful' }] };
  const edges = [{ from: 'CHECK', to: 'DONE', kind: 'forward' as const }];
  await first.client.workflow.put({ definition: { name: 'checked', phases: [{ name: 'CHECK', gate }, { name: 'DONE' }], edges } });
  const { id: ticketId } = await first.client.ticket.create({ title: 'Checked', workflow: { name: 'checked' } });
  expect((await first.client.gate.validate({ ticketId })).outcome).toBe('passed');

  const status = await Promise.all([first, second].map(({ client }) => client.gate.status({ ticketId })));
  const moved = await outcomeOf(second.client.ticket.transition({ ticketId, to: 'DONE' }));

  expect(status.map(({ stale }) => stale)).toEqual([false, true]);
  expect(moved).toBe('gate_blocked');
});
