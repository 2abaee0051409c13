import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AskedProgram, createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
beforeAll(async () => {
  // For one ticket two may wait.
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-command'], pluginThreadsMax: 8, judgementsWaitingMax: 64 } });
});
afterAll(() => daemon.stop());

/** A ticket whose gate asks the program, with so many artifacts of 400 KB. */
async function openTicket({ validator }: AskedProgram, artifacts = 0) {
  const name = `turns ${crypto.randomUUID()}`;
  const gate = { tasksMin: 0, validators: [validator] };
  const edges = [{ from: 'BUILD', to: 'DONE', kind: 'forward' as const }];
  await daemon.client.workflow.put({ definition: { name, phases: [{ name: 'BUILD', gate }, { name: 'DONE' }], edges } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'To be judged', workflow: { name } });
  for (let number = 0; number < artifacts; number += 1)
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'log', name: `log ${number}`, content: 'x'.repeat(400_000) } });
  return ticketId;
}

/** Asks on a line of its own, without trying again. */
async function explain(ticketId: string): Promise<{ error?: { data: Record<string, unknown> } }> {
  const answer = await fetch(`${daemon.httpUrl}/rpc`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'gate/explain', params: { ticketId } }),
  });
  return (await answer.json()) as { error?: { data: Record<string, unknown> } };
}

/** Judges a ticket of its own: whatever was asked for before it and could begin has begun. */
async function judgeAnother(ends: number) {
  await using program = await createAskedProgram();
  const judged = daemon.client.gate.validate({ ticketId: await openTicket(program) });
  (await program.run(1)).exitWith(ends);
  return (await judged).outcome;
}

test('however often the gate of one ticket is asked for, it is judged once at a time, and others are judged meanwhile', async () => {
  await using program = await createAskedProgram();
  const ticketId = await openTicket(program);
  const asked = [1, 2, 3].map(() => explain(ticketId));
  const first = await program.run(1);

  const other = await judgeAnother(0);

  expect(other).toBe('passed');
  expect(program.runs).toBe(1);
  first.exitWith(0);
  for (const number of [2, 3]) (await program.run(number)).exitWith(0);
  expect((await Promise.all(asked)).map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
});

test('where more wait for it than may, one more is told to come again', async () => {
  await using program = await createAskedProgram();
  const ticketId = await openTicket(program);
  const asked = [1, 2, 3, 4].map(() => explain(ticketId));
  const first = await program.run(1);

  const refused = await Promise.race(asked);

  expect(refused.error?.data).toMatchObject({
    kind: 'overloaded',
    ticketId,
    retryAfterMs: 1_000,
    message: expect.stringContaining('judgementsWaitingMax') as string,
  });
  first.exitWith(0);
  for (const number of [2, 3]) (await program.run(number)).exitWith(0);
  await Promise.all(asked);
  expect(program.runs).toBe(3);
});

test('much evidence is held for two gates at a time, and those that have little do not wait behind them', async () => {
  await using program = await createAskedProgram();
  const ids = [await openTicket(program, 3), await openTicket(program, 3), await openTicket(program, 3)];
  const judged = ids.map((ticketId) => daemon.client.gate.validate({ ticketId }));
  const [first, second] = [await program.run(1), await program.run(2)];

  const other = await judgeAnother(0);

  expect(other).toBe('passed');
  expect(program.runs).toBe(2);
  first.exitWith(0);
  (await program.run(3)).exitWith(0);
  second.exitWith(0);
  expect((await Promise.all(judged)).map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed']);
});
