import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';

let fixture: PluginFixture;
let plugins: string[];
beforeAll(async () => {
  fixture = await createPluginFixture();
  await fixture.write('clumsy', { exits: `process.exit(0);` });
  await fixture.write('calm', { looks: `if (artifacts.length === 0) fail('empty', 'There is nothing to look at.');` });
  plugins = [join(fixture.folder, 'clumsy'), join(fixture.folder, 'calm')];
});
afterAll(() => fixture.remove());

const gate = (use: string) => ({ tasksMin: 0, validators: [{ use }] });
const workflowOf = (use: string) => ({
  name: use,
  phases: [{ name: 'MADE', gate: gate(use) }, { name: 'SENT' }],
  edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' as const }],
});

test('a plugin whose validator ends its process in three gates is off for all to see, until an admin switches it on', async () => {
  await using daemon = await startDaemon({ config: { plugins } });
  const { client } = daemon;
  for (const use of ['exits', 'looks']) await client.workflow.put({ definition: workflowOf(use) });
  const { id: ticketId } = await client.ticket.create({ title: 'A parcel', workflow: { name: 'exits' } });
  const { id: calm } = await client.ticket.create({ title: 'A letter', workflow: { name: 'looks' } });
  await client.artifact.put({ ticketId: calm, artifact: { type: 'page', content: {} } });
  const events = await followEvents(daemon.connection);
  const validate = async (ticket: string) => (await client.gate.validate({ ticketId: ticket })).verdicts;

  const verdicts = [await validate(ticketId), await validate(ticketId), await validate(ticketId)].flat();
  const event = await events.waitFor('plugin.switchedOff');
  const listed = (await client.plugin.list({})).plugins;
  const [whileOff] = await validate(ticketId);
  const [other] = await validate(calm);
  await client.plugin.switchOn({ plugin: 'clumsy' });
  const again = (await client.plugin.list({})).plugins;
  const [afterwards] = await validate(ticketId);

  expect(verdicts.map(({ outcome, findings }) => [outcome, findings[0]?.code])).toEqual(
    Array.from({ length: 3 }, () => ['error', 'crashed']),
  );
  const reason = expect.stringContaining('it ended its thread or process') as string;
  expect(event.data).toEqual({ plugin: 'clumsy', reason });
  expect(listed).toMatchObject([
    { name: 'clumsy', state: 'off', offBecause: reason },
    { name: 'calm', state: 'on' },
  ]);
  expect(whileOff).toMatchObject({ outcome: 'error', findings: [{ code: 'plugin_off' }] });
  expect(other).toMatchObject({ outcome: 'pass' });
  expect(again).toMatchObject([
    { name: 'clumsy', state: 'on' },
    { name: 'calm', state: 'on' },
  ]);
  expect(afterwards).toMatchObject({ outcome: 'error', findings: [{ code: 'crashed' }] });
});

test('more evidence than validators are shown is an error that says so, and switches nothing off', async () => {
  await using daemon = await startDaemon({ config: { plugins, pluginEvidenceBytesMax: 100_000 } });
  const { client } = daemon;
  await client.workflow.put({ definition: workflowOf('looks') });
  const { id: ticketId } = await client.ticket.create({ title: 'A letter', workflow: { name: 'looks' } });
  const put = (name: string) => client.artifact.put({ ticketId, artifact: { type: 'page', name, content: 'x'.repeat(60_000) } });

  await put('first');
  const before = await client.gate.validate({ ticketId });
  await put('second');
  const after = await client.gate.validate({ ticketId });

  expect(before).toMatchObject({ outcome: 'passed', verdicts: [{ outcome: 'pass' }] });
  expect(after).toMatchObject({ outcome: 'failed', verdicts: [{ outcome: 'error', findings: [{ code: 'evidence_too_large' }] }] });
  expect(after.verdicts[0]?.findings[0]?.message).toContain('validators are shown at most 100000 (pluginEvidenceBytesMax)');
  expect((await client.plugin.list({})).plugins).toMatchObject([{ state: 'on' }, { state: 'on' }]);
});
