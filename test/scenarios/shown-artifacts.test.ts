import { join } from 'node:path';
import type { GateExplanation, GateResult } from '@baton/protocol';
import { expect, test } from 'vitest';
import { createPluginFixture } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { startDaemon } from '../support/daemon.ts';
import { uniqueType } from '../support/work.ts';

/** What a validator said that it was shown. */
const shownTo = ({ verdicts }: Pick<GateResult | GateExplanation, 'verdicts'>): unknown[] =>
  verdicts.flatMap(({ findings }) => findings.map(({ message }) => JSON.parse(message) as unknown));

test('validators are shown the newest versions exactly as they are stored, by type and name', async () => {
  await using fixture = await createPluginFixture();
  await fixture.write('mirror', { shows: `for (const artifact of artifacts) info('seen', JSON.stringify(artifact));` });
  await using daemon = await startDaemon({ config: { plugins: [join(fixture.folder, 'mirror')] } });
  const { client } = daemon;
  await client.workflow.put({
    definition: {
      name: 'shown',
      phases: [{ name: 'MADE', gate: { validators: [{ use: 'shows' }] } }, { name: 'SENT' }],
      edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await client.ticket.create({ title: 'A parcel', workflow: { name: 'shown' } });
  const type = uniqueType();
  const agent = await daemon.connectAgent({ capabilities: [type] });
  await client.task.submit({ ticketId, tasks: [{ type }] });
  await agent.complete(await agent.claimOne(), { artifacts: [{ type: 'note', name: 'b', mediaType: 'text/plain', content: 'Done.' }] });
  await client.artifact.put({ ticketId, artifact: { type: 'page', content: { number: 1 } } });
  await client.artifact.put({ ticketId, artifact: { type: 'page', content: { number: 2, of: [null, 'ü'] } } });
  const elsewhere = { type: 'note', name: 'a', uri: 'https://example.com/a.json', sha256: 'a'.repeat(64), sizeBytes: 7 };
  await client.artifact.put({ ticketId, artifact: elsewhere });

  const judged = await client.gate.validate({ ticketId });
  const explained = await client.gate.explain({ ticketId });

  const newest = judged.judged.map(({ artifactId }) => client.artifact.get({ artifactId }));
  const stored = await Promise.all(newest);
  expect(stored).toMatchObject([
    { name: 'a', uri: elsewhere.uri },
    { name: 'b', attempt: 1 },
    { type: 'page', version: 2 },
  ]);
  expect(shownTo(judged)).toEqual(stored);
  expect(shownTo(explained)).toEqual(stored);
});
