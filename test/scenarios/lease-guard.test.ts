import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-lease-guard'] } });
});
afterAll(() => daemon.stop());

/** An attempt that holds src/declared.ts by its task, took src/taken.ts and gave it back, and says that it changed these files. */
async function change(...files: readonly string[]) {
  const type = uniqueType();
  const name = `guarded ${type}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'CODE', gate: { validators: [{ use: 'lease-guard' }] } }, { name: 'DONE' }],
      edges: [{ from: 'CODE', to: 'DONE', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Guarded', workflow: { name } });
  const agent = await daemon.connectAgent({ capabilities: [type] });
  await daemon.client.task.submit({ ticketId, tasks: [{ type, locks: [{ key: 'file:src/declared.ts' }] }] });
  const claim = await agent.claimOne();
  const { taskId, attempt } = claim;
  await agent.client.lock.acquire({ keys: [{ key: 'file:src/taken/*.ts' }], taskId, attempt });
  await agent.client.lock.release({ keys: ['file:src/taken/*.ts'], taskId, attempt });
  await agent.complete(claim, { artifacts: [{ type: 'code_changes', content: { files: [...files] } }] });
  return daemon.client.gate.validate({ ticketId });
}

test('what was changed within the locks of the attempt passes, those declared and those taken on the way', async () => {
  expect(await change('src/declared.ts', 'src/taken/a.ts')).toMatchObject({ outcome: 'passed' });
});

test('what was changed outside of them does not, and the file is named', async () => {
  expect(await change('src/declared.ts', 'src/other.ts')).toMatchObject({
    outcome: 'failed',
    reasons: [{ code: 'validator_failed', findingCode: 'file_not_held', path: 'src/other.ts' }],
  });
});
