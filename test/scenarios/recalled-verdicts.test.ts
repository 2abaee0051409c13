import type { WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AskedProgram, createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { runStatement } from '../support/stores.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-command'], outsideVerdictMs: 3_600_000 } });
});
afterAll(() => daemon.stop());

/** A ticket whose gate asks the program, and then for these approvals. */
async function openTicket({ validator }: AskedProgram, names: readonly string[], advance: 'automatic' | 'manual' = 'manual') {
  const name = `recalled ${crypto.randomUUID()}`;
  const gate = { tasksMin: 0, validators: [validator], approvals: names.map((each) => ({ name: each })) };
  const phases: WorkflowDefinitionInput['phases'] = [{ name: 'MADE', advance, gate }, { name: 'SENT' }];
  await daemon.client.workflow.put({ definition: { name, phases, edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' }] } });
  const events = await followEvents(daemon.connection);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'A parcel', workflow: { name } });
  return {
    ticketId,
    send: () => daemon.client.ticket.transition({ ticketId, to: 'SENT' }),
    results: async () => (await daemon.client.gate.results({ ticketId })).results,
    approve: async (rule: string) => {
      const { data } = await events.waitFor('approval.requested', (event) => event.data.ticketId === ticketId && event.data.name === rule);
      await daemon.client.approval.decide({ approvalId: data.approvalId, decision: 'approve' });
    },
    leaves: () => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId),
  };
}

describe('what a program has said', () => {
  test('is taken over when somebody approves, and the result says from which other', async () => {
    await using program = await createAskedProgram();
    const { approve, leaves, results } = await openTicket(program, ['legal', 'safety', 'release'], 'automatic');
    (await program.run(1)).exitWith(0);

    for (const rule of ['legal', 'safety', 'release']) await approve(rule);
    await leaves();

    const [first, ...others] = await results();
    expect(program.runs).toBe(1);
    expect(first).not.toHaveProperty('verdictsOf');
    expect(others.at(-1)).toMatchObject({ outcome: 'passed', verdictsOf: first!.id, verdicts: first!.verdicts });
  });

  test('is as old as it was when it is taken over', async () => {
    await using program = await createAskedProgram();
    const { ticketId, approve, send, results } = await openTicket(program, ['legal', 'release']);
    const asking = daemon.client.gate.validate({ ticketId });
    (await program.run(1)).exitWith(0);
    const { id } = await asking;
    const letPass = (minutes: number) =>
      runStatement(daemon.databaseUrl!, `update gate_results set created_at = created_at - interval '${minutes} min' where id = '${id}'`);
    await approve('legal');
    await letPass(30);
    expect(await outcomeOf(send())).toBe('gate_blocked');

    await letPass(30);
    await approve('release');
    const sending = send();
    (await program.run(2)).exitWith(0);
    await sending;

    expect((await results()).map(({ verdictsOf }) => verdictsOf)).toEqual([undefined, id, undefined]);
  });

  test('against the gate is not: it may have been mended outside', async () => {
    await using program = await createAskedProgram();
    const { send, results } = await openTicket(program, []);
    const refused = outcomeOf(send());
    (await program.run(1)).exitWith(1);
    expect(await refused).toBe('gate_blocked');

    const sending = send();
    (await program.run(2)).exitWith(0);
    await sending;

    expect((await results()).map(({ outcome, verdictsOf }) => [outcome, verdictsOf])).toEqual([
      ['failed', undefined],
      ['passed', undefined],
    ]);
  });

  test('is asked for anew by gate/validate', async () => {
    await using program = await createAskedProgram();
    const { ticketId } = await openTicket(program, ['release']);
    const judge = async (run: number, code: number) => {
      const asking = daemon.client.gate.validate({ ticketId });
      (await program.run(run)).exitWith(code);
      return (await asking).reasons.map((reason) => reason.code);
    };

    expect(await judge(1, 0)).toEqual(['approval_waiting']);

    expect(await judge(2, 1)).toEqual(['validator_failed', 'approval_waiting']);
  });
});
