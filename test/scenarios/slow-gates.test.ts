import type { WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-command'] } });
});
afterAll(() => daemon.stop());

type Gate = WorkflowDefinitionInput['phases'][number]['gate'];

/** Makes tickets that go from BUILD to DONE by themselves, where the gate lets them. */
async function putWorkflow(gate: Gate) {
  const name = `slow ${crypto.randomUUID()}`;
  const phases = [{ name: 'BUILD', advance: 'automatic' as const, ...(gate !== undefined && { gate }) }, { name: 'DONE' }];
  await daemon.client.workflow.put({ definition: { name, phases, edges: [{ from: 'BUILD', to: 'DONE', kind: 'forward' }] } });
  return async () => (await daemon.client.ticket.create({ title: 'Built', workflow: { name } })).id;
}

test('tickets that no validator is asked about move on, however many gates are being judged', async () => {
  await using program = await createAskedProgram();
  const events = await followEvents(daemon.connection);
  const createSlow = await putWorkflow({ tasksMin: 0, validators: [program.validator] });
  const createFree = await putWorkflow(undefined);
  const createNoted = await putWorkflow({ tasksMin: 0, artifacts: ['note'] });
  const slow = await Promise.all(Array.from({ length: 12 }, createSlow));
  await program.run(1);

  const free = await createFree();
  const noted = await createNoted();
  await daemon.client.artifact.put({ ticketId: noted, artifact: { type: 'note', content: 'Done.' } });

  await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === free);
  await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === noted);
  expect(events.seen.filter(({ name }) => name === 'gate.evaluated').every(({ ticketId }) => ticketId === noted)).toBe(true);
  // Or they would be judged when their program has gone, beside those of the next test.
  for (const ticketId of slow) await daemon.client.ticket.cancel({ ticketId, reason: 'The test is over.' });
});

test('every gate that waited for a place is judged in the end', async () => {
  await using program = await createAskedProgram();
  const events = await followEvents(daemon.connection);
  const create = await putWorkflow({ tasksMin: 0, validators: [program.validator] });
  const ids = await Promise.all(Array.from({ length: 8 }, create));

  for (let number = 1; number <= ids.length; number += 1) (await program.run(number)).exitWith(0);

  for (const id of ids) await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === id);
  expect(program.runs).toBe(ids.length);
});
