import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { completeTaskWith, createTicketIn, outcomeOf, requirementsDocument, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const written = async (ticketId: string) => ({
  results: (await daemon.client.gate.results({ ticketId })).results.length,
  lastSeq: (await daemon.client.event.list({})).lastSeq,
});

test('it names all that is missing, each thing once, and writes nothing', async () => {
  const { ticket, submit } = await setUpBench(daemon);
  await submit({ title: 'Still open' });
  const before = await written(ticket.id);

  const { ready, missing, verdicts } = await daemon.client.gate.explain({ ticketId: ticket.id });

  expect(ready).toBe(false);
  expect(missing.map(({ code }) => code)).toEqual(['artifact_missing', 'task_open']);
  expect(verdicts).toEqual([]);
  expect(await written(ticket.id)).toEqual(before);
});

test('it asks the validators, and tells what each found, for programs', async () => {
  const bench = await setUpBench(daemon);
  await completeTaskWith(bench, requirementsDocument(100));
  const before = await written(bench.ticket.id);

  const { missing, verdicts } = await daemon.client.gate.explain({ ticketId: bench.ticket.id });

  expect(missing).toMatchObject([{ code: 'validator_failed', validator: 'criteria', path: expect.stringContaining('length') as string }]);
  expect(verdicts).toMatchObject([{ validator: 'criteria', outcome: 'fail' }]);
  expect(await written(bench.ticket.id)).toEqual(before);
});

test('an agent asks whether it would be done with what it has in hand', async () => {
  const { ticket, agent, submit } = await setUpBench(daemon);
  await submit({});
  const { taskId } = await agent.claimOne();
  const ask = (length: number) =>
    agent.client.gate.explain({ ticketId: ticket.id, assume: { completed: [taskId], artifacts: [requirementsDocument(length)] } });

  const [short, long] = [await ask(100), await ask(600)];

  expect(short).toMatchObject({ ready: false, missing: [{ code: 'validator_failed' }] });
  expect(long).toMatchObject({ ready: true, missing: [] });
  expect((await daemon.client.artifact.list({ ticketId: ticket.id })).artifacts).toEqual([]);
  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running' });
});

test('what it says is ready, the gate lets go', async () => {
  const bench = await setUpBench(daemon);
  await completeTaskWith(bench, requirementsDocument(700));

  expect(await daemon.client.gate.explain({ ticketId: bench.ticket.id })).toMatchObject({ ready: true });
  expect(await outcomeOf(daemon.client.ticket.transition({ ticketId: bench.ticket.id, to: 'DESIGN' }))).toBe('accepted');
});

test('a task of another visit cannot be assumed', async () => {
  const { ticket } = await setUpBench(daemon);
  const elsewhere = await createTicketIn(daemon.client, 'REQUIREMENTS');

  const asked = daemon.client.gate.explain({ ticketId: ticket.id, assume: { completed: [elsewhere.id] } });

  await expect(asked).rejects.toMatchObject({ kind: 'task_not_found', data: { taskId: elsewhere.id } });
});
