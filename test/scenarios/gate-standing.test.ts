import type { GateDefinition } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { runStatement } from '../support/stores.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-criteria', '@baton/plugin-command'], outsideVerdictMs: 1_800_000 } });
});
afterAll(() => daemon.stop());

const looksAtSize = { use: 'criteria', config: { criteria: [{ artifact: 'size', path: 'n', op: '>', value: 0 }] } };
/** A program that agrees with everything. */
const command = { use: 'command', config: { command: ['true'] } };

/** A ticket in a phase with this gate, and what the gate asks for of evidence. */
async function openTicket(gate: Partial<Pick<GateDefinition, 'approvals'>> & { validators?: object[]; criteria?: object[] }) {
  const name = `standing ${crypto.randomUUID()}`;
  const phases = [{ name: 'MADE', gate: { tasksMin: 0, ...gate } as GateDefinition }, { name: 'SENT' }];
  await daemon.client.workflow.put({ definition: { name, phases, edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' }] } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'A parcel', workflow: { name } });
  await daemon.client.artifact.put({ ticketId, artifact: { type: 'size', content: { n: 1 } } });
  return ticketId;
}

/** Changes what the ticket says of itself. */
async function describeAnew(ticketId: string) {
  const { version } = await daemon.client.ticket.get({ ticketId });
  await daemon.client.ticket.update({ ticketId, version, description: 'Something else is wanted.' });
}

const isStale = async (ticketId: string) => (await daemon.client.gate.status({ ticketId })).stale;
const outcomes = async (ticketId: string) => (await daemon.client.gate.results({ ticketId })).results.map(({ outcome }) => outcome);
const send = (ticketId: string) => daemon.client.ticket.transition({ ticketId, to: 'SENT' });

describe('gate/status', () => {
  const smaller = { artifact: 'size', path: 'n', op: '>', value: 5 };

  test('a refusal holds the gate for as long as what was judged is what is there', async () => {
    const ticketId = await openTicket({ criteria: [smaller] });
    const unasked = await daemon.client.gate.status({ ticketId });
    await daemon.client.gate.validate({ ticketId });
    const refused = await daemon.client.gate.status({ ticketId });

    await daemon.client.artifact.put({ ticketId, artifact: { type: 'size', content: { n: 9 } } });

    expect(unasked).toMatchObject({ state: 'ready', met: true, missing: [], stale: false });
    expect(refused).toMatchObject({ state: 'blocked', met: false, missing: [{ code: 'validator_failed' }], stale: false });
    expect(await daemon.client.gate.status({ ticketId })).toMatchObject({ state: 'ready', met: true, missing: [], stale: true });
  });

  test('a refusal says each thing once, with the approvals that come after it', async () => {
    const ticketId = await openTicket({
      criteria: [smaller],
      approvals: [{ name: 'seal', count: 1, authorsMay: true, onRefusal: 'refuse' }],
    });
    await daemon.client.gate.validate({ ticketId });

    const { missing } = await daemon.client.gate.status({ ticketId });

    expect(missing.map(({ code }) => code)).toEqual(['validator_failed', 'approval_later']);
  });
});

describe('what the ticket says of itself', () => {
  test('is shown to validators: when it changes their verdict is stale, and the transition asks them anew', async () => {
    const ticketId = await openTicket({ validators: [looksAtSize] });
    await daemon.client.gate.validate({ ticketId });
    const before = await isStale(ticketId);

    await describeAnew(ticketId);

    expect([before, await isStale(ticketId)]).toEqual([false, true]);
    await send(ticketId);
    expect(await outcomes(ticketId)).toEqual(['passed', 'passed']);
  });

  test('is nothing to criteria, which look at artifacts only', async () => {
    const ticketId = await openTicket({ criteria: looksAtSize.config.criteria });
    await daemon.client.gate.validate({ ticketId });

    await describeAnew(ticketId);

    expect(await isStale(ticketId)).toBe(false);
    await send(ticketId);
    expect(await outcomes(ticketId)).toEqual(['passed']);
  });

  test('makes nobody approve the same evidence twice', async () => {
    const ticketId = await openTicket({
      validators: [looksAtSize],
      approvals: [{ name: 'seal', count: 1, authorsMay: true, onRefusal: 'refuse' }],
    });
    const { reasons } = await daemon.client.gate.validate({ ticketId });
    await daemon.client.approval.decide({ approvalId: reasons[0]!.approval!.id!, decision: 'approve' });

    await describeAnew(ticketId);

    expect((await send(ticketId)).ticket.phase).toBe('SENT');
    expect((await daemon.client.approval.list({ ticketId, states: ['waiting', 'approved', 'cancelled'] })).approvals).toHaveLength(1);
  });
});

describe('the newest result', () => {
  /** Two results of the same evidence: a pass, then a refusal. */
  async function judgeTwice() {
    await using program = await createAskedProgram();
    const ticketId = await openTicket({ validators: [program.validator] });
    const judge = async (run: number, exitCode: number) => {
      const asking = daemon.client.gate.validate({ ticketId });
      (await program.run(run)).exitWith(exitCode);
      return (await asking).id;
    };
    return { ticketId, passed: await judge(1, 0), refused: await judge(2, 1) };
  }
  const newest = async (ticketId: string) => (await daemon.client.gate.status({ ticketId })).result?.id;

  test('is the last by the clock of the database, whatever the clock said that made its id, and it is what stands', async () => {
    const { ticketId, passed, refused } = await judgeTwice();

    // As if another coordinator, whose clock is ahead, had made the id of the older one.
    await runStatement(daemon.databaseUrl!, `update gate_results set created_at = created_at - interval '1 hour' where id = '${refused}'`);

    expect(await newest(ticketId)).toBe(passed);
    expect((await send(ticketId)).ticket.phase).toBe('SENT');
    expect(await outcomes(ticketId)).toEqual(['failed', 'passed']);
  });

  test('of two of the same moment is the one with the later id', async () => {
    const { ticketId, refused } = await judgeTwice();

    await runStatement(
      daemon.databaseUrl!,
      `update gate_results set created_at = (select min(created_at) from gate_results where ticket_id = '${ticketId}') where ticket_id = '${ticketId}'`,
    );

    expect(await newest(ticketId)).toBe(refused);
  });
});

describe('a validator that runs a program', () => {
  /** As if the results of the ticket were an hour old. */
  const letAnHourPass = (ticketId: string) =>
    runStatement(
      daemon.databaseUrl!,
      `update gate_results set created_at = created_at - interval '1 hour' where ticket_id = '${ticketId}'`,
    );

  test('has looked at what no digest binds: its verdict holds for a while, and then the gate is judged anew', async () => {
    const ticketId = await openTicket({ validators: [command] });
    await daemon.client.gate.validate({ ticketId });
    const fresh = await isStale(ticketId);

    await letAnHourPass(ticketId);

    expect([fresh, await isStale(ticketId)]).toEqual([false, true]);
    await send(ticketId);
    expect(await outcomes(ticketId)).toEqual(['passed', 'passed']);
  });

  test('is not run anew while its verdict is fresh', async () => {
    const ticketId = await openTicket({ validators: [command] });
    await daemon.client.gate.validate({ ticketId });

    await send(ticketId);

    expect(await outcomes(ticketId)).toEqual(['passed']);
  });

  test.each([
    ['one that only looks', looksAtSize],
    ['an advisory one, which holds nothing', { ...command, requirement: 'advisory' }],
  ])('%s does not grow old', async (_, validator) => {
    const ticketId = await openTicket({ validators: [validator] });
    await daemon.client.gate.validate({ ticketId });

    await letAnHourPass(ticketId);

    expect(await isStale(ticketId)).toBe(false);
  });

  test('asks nobody for the same approval again when its verdict has grown old', async () => {
    const ticketId = await openTicket({
      validators: [command],
      approvals: [{ name: 'seal', count: 1, authorsMay: true, onRefusal: 'refuse' }],
    });
    const { reasons } = await daemon.client.gate.validate({ ticketId });
    await letAnHourPass(ticketId);
    await daemon.client.approval.decide({ approvalId: reasons[0]!.approval!.id!, decision: 'approve' });

    await letAnHourPass(ticketId);

    expect((await send(ticketId)).ticket.phase).toBe('SENT');
  });
});
