import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
  await daemon.client.workflow.put({
    definition: {
      name: 'measured',
      phases: [
        { name: 'BUILD', gate: { tasksMin: 0, criteria: [{ artifact: 'size', path: 'lines', op: '>=', value: 10 }] } },
        { name: 'RELEASE', gate: { tasksMin: 0, approvals: [{ name: 'release', count: 2, onRefusal: 'count', authorsMay: true }] } },
        { name: 'DONE' },
      ],
      edges: [
        { from: 'BUILD', to: 'RELEASE', kind: 'forward' },
        { from: 'RELEASE', to: 'DONE', kind: 'forward' },
      ],
    },
  });
});
afterAll(() => daemon.stop());

const create = async () => (await daemon.client.ticket.create({ title: 'Measure it', workflow: { name: 'measured' } })).id;
const measure = (ticketId: string, lines: number) =>
  daemon.client.artifact.put({ ticketId, artifact: { type: 'size', content: { lines } } });
const show = async (ticketId: string): Promise<string> => (await runBatonAt(daemon, 'ticket', 'show', ticketId)).stdout;

test('ticket show tells a gate that has refused from one that was not asked, and from one that is to be judged anew', async () => {
  const ticketId = await create();
  await measure(ticketId, 3);

  const unasked = await show(ticketId);
  await daemon.client.gate.validate({ ticketId });
  const refused = await show(ticketId);
  await measure(ticketId, 12);
  const changed = await show(ticketId);
  await daemon.client.gate.validate({ ticketId });
  const passed = await show(ticketId);

  expect(unasked).toContain('The gate of BUILD is ready to be judged.\n');
  expect(refused).toContain('The gate of BUILD is blocked.\n  criteria: size: lines is 3, wanted >= 10 (lines)\n');
  expect(changed).toContain('The gate of BUILD is ready to be judged anew: what it said no longer stands.\n');
  expect(passed).toContain('The gate of BUILD is ready.\n');
});

test('ticket show tells who has decided what, and why', async () => {
  const ticketId = await create();
  await measure(ticketId, 12);
  await daemon.client.ticket.transition({ ticketId, to: 'RELEASE' });
  await daemon.client.gate.validate({ ticketId });
  const { approvals } = await daemon.client.approval.list({ ticketId });
  await daemon.client.approval.decide({ approvalId: approvals[0]!.id, decision: 'refuse', comment: 'The numbers are old.' });

  const shown = await show(ticketId);

  expect(shown).toMatch(/release\s+RELEASE \(2\)\s+admin\s+refuse\s+The numbers are old\./);
});

test('ticket show tells nothing of the gate of a cancelled ticket', async () => {
  const ticketId = await create();
  await daemon.client.ticket.cancel({ ticketId, reason: 'Reported twice.' });

  expect(await show(ticketId)).not.toContain('gate');
});
