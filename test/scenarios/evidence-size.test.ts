import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { uniqueType } from '../support/work.ts';

let daemon: Daemon;
let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  const folder = await fixture.write('counting', { 'count-tasks': `info('tasks', String(facts.tasks.length));` });
  daemon = await startDaemon({ config: { plugins: [folder], pluginEvidenceBytesMax: 1_200_000 } });
});
afterAll(async () => {
  await daemon.stop();
  await fixture.remove();
});

/** A ticket whose phase has had so many tasks, and what the validator says of it. */
async function judgeTasks(count: number, title = 'A task') {
  const name = `tasks ${crypto.randomUUID()}`;
  const gate = { tasksMin: 0, validators: [{ use: 'count-tasks' }] };
  const edges = [{ from: 'WORK', to: 'DONE', kind: 'forward' as const }];
  await daemon.client.workflow.put({ definition: { name, phases: [{ name: 'WORK', gate }, { name: 'DONE' }], edges } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Much work', workflow: { name } });
  const type = uniqueType();
  for (let left = count; left > 0; left -= 250)
    await daemon.client.task.submit({ ticketId, tasks: Array.from({ length: Math.min(left, 250) }, () => ({ type, title })) });
  await daemon.client.task.cancelAll({ ticketId });
  const { verdicts } = await daemon.client.gate.validate({ ticketId });
  const { verdicts: explained } = await daemon.client.gate.explain({ ticketId });
  return [verdicts, explained].map(([verdict]) => ({ outcome: verdict?.outcome, finding: verdict?.findings[0] }));
}

test('validators are shown all tasks of the visit, however many', async () => {
  const said = await judgeTasks(1_250);

  for (const one of said) expect(one).toEqual({ outcome: 'pass', finding: { severity: 'info', code: 'tasks', message: '1250' } });
});

test('where the tasks are more than validators may be shown they are told nothing, and the gate holds', async () => {
  const said = await judgeTasks(1_250, 'A task with a title that takes its room. '.repeat(12).trim());

  for (const one of said) expect(one).toMatchObject({ outcome: 'error', finding: { code: 'evidence_too_large' } });
});
