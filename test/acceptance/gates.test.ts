import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { completeTaskWith, createTicketIn, outcomeOf, requirementsDocument, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const statusOf = (ticketId: string) => daemon.client.gate.status({ ticketId });
const phaseOf = async (ticketId: string) => (await daemon.client.ticket.get({ ticketId })).phase;

describe('the gate of REQUIREMENTS', () => {
  test('G1 a completed task and a sufficient document meet it', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskWith(bench, requirementsDocument(600));

    const status = await statusOf(bench.ticket.id);

    expect(status).toMatchObject({ phase: 'REQUIREMENTS', met: true, missing: [], state: 'ready' });
  });

  test('G2 a bare ticket does not meet it: the document is missing', async () => {
    const { id } = await createTicketIn(daemon.client, 'REQUIREMENTS');

    const status = await statusOf(id);

    expect(status).toMatchObject({ met: false, state: 'blocked' });
    expect(status.missing).toContainEqual(expect.objectContaining({ code: 'artifact_missing', artifactType: 'requirements_document' }));
  });

  test('G3 an artifact of a completed task is collected exactly once, also when collected again', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    await submit({});
    const claim = await agent.claimOne();
    const document = requirementsDocument(600);

    await agent.complete(claim, { artifacts: [document], idempotencyKey: 'first' });
    await agent.complete(claim, { artifacts: [document], idempotencyKey: 'second' });
    await daemon.client.artifact.put({ ticketId: ticket.id, artifact: document });

    const { artifacts } = await daemon.client.artifact.list({ ticketId: ticket.id });
    expect(artifacts).toHaveLength(1);
    expect(artifacts[0]).toMatchObject({
      type: 'requirements_document',
      name: 'docs/requirements.md',
      version: 1,
      author: agent.name,
      taskId: claim.taskId,
    });
  });

  test('G4 a document of length 700 passes without reasons', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskWith(bench, requirementsDocument(700));

    const result = await daemon.client.gate.validate({ ticketId: bench.ticket.id });

    expect(result).toMatchObject({ outcome: 'passed', reasons: [] });
  });

  test('G5 a document of length 100 fails, and a reason mentions the length', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskWith(bench, requirementsDocument(100));

    const result = await daemon.client.gate.validate({ ticketId: bench.ticket.id });

    expect(result.outcome).toBe('failed');
    expect(result.reasons.map(({ message }) => message).join('\n')).toMatch(/length/);
  });

  test('G6 what meets the gate may go on to DESIGN', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskWith(bench, requirementsDocument(600));

    const { ticket } = await daemon.client.ticket.transition({ ticketId: bench.ticket.id, to: 'DESIGN' });

    expect(ticket.phase).toBe('DESIGN');
  });

  test('G7 a document of length 120 is refused with reasons, and the ticket has not moved', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskWith(bench, requirementsDocument(120));

    const refused = await daemon.client.ticket.transition({ ticketId: bench.ticket.id, to: 'DESIGN' }).catch((error: unknown) => error);

    expect(refused).toMatchObject({ kind: 'gate_blocked' });
    expect(JSON.stringify((refused as { data: { reasons: unknown } }).data.reasons)).toMatch(/length/);
    expect(await phaseOf(bench.ticket.id)).toBe('REQUIREMENTS');
  });

  test('G8 a corrected document of the same name replaces the old one, which stays readable', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await completeTaskWith(bench, requirementsDocument(100));
    const [old] = (await daemon.client.artifact.list({ ticketId })).artifacts;

    await daemon.client.artifact.put({ ticketId, artifact: requirementsDocument(600) });

    expect(await daemon.client.gate.validate({ ticketId })).toMatchObject({ outcome: 'passed' });
    expect((await daemon.client.artifact.list({ ticketId, current: true })).artifacts.map(({ version }) => version)).toEqual([2]);
    expect(await daemon.client.artifact.get({ artifactId: old!.id })).toMatchObject({ version: 1, content: { length: 100 } });
  });

  test('G9 a cancelled task does not hold the gate, a failed one does, by name', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await completeTaskWith(bench, requirementsDocument(600));
    const [cancelled] = await bench.submit({ title: 'Superseded idea' });
    await daemon.client.task.cancel({ taskId: cancelled! });
    const withCancelled = await statusOf(ticketId);

    const [failed] = await bench.submit({ title: 'Ask the customers', maxAttempts: 1 });
    await bench.agent.fail(await bench.agent.claimOne(), { permanent: true });
    const withFailed = await statusOf(ticketId);

    expect(withCancelled).toMatchObject({ met: true, missing: [] });
    expect(withFailed.met).toBe(false);
    expect(withFailed.missing).toEqual([
      expect.objectContaining({ code: 'task_failed', taskId: failed, message: expect.stringContaining('Ask the customers') as string }),
    ]);
  });

  test('G9 a task that a later round has superseded does not hold the gate, though it failed', async () => {
    const type = uniqueType();
    const name = `superseded ${type}`;
    await daemon.client.workflow.put({
      definition: {
        name,
        phases: [
          { name: 'ASK', advance: 'automatic', tasks: [{ type, when: 'refused', maxAttempts: 1 }], gate: { tasksMin: 1 }, onRefused: {} },
          { name: 'KNOW' },
        ],
        edges: [{ from: 'ASK', to: 'KNOW', kind: 'forward' }],
      },
    });
    const agent = await daemon.connectAgent({ capabilities: [type] });
    const events = await followEvents(daemon.connection);
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Ask twice', workflow: { name } });
    await agent.fail(await agent.claimOne(), { permanent: true });

    await agent.complete(await agent.claimOne());

    await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId && data.to === 'KNOW');
    const { results } = await daemon.client.gate.results({ ticketId });
    expect(results.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([
      ['tasks_too_few'],
      ['task_failed', 'tasks_too_few'],
      [],
    ]);
  });

  test('G10 a missing artifact and an open task are both reported', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const [open] = await submit({ title: 'Still to do' });

    const { missing } = await statusOf(ticket.id);

    expect(missing).toContainEqual(expect.objectContaining({ code: 'artifact_missing', artifactType: 'requirements_document' }));
    expect(missing).toContainEqual(expect.objectContaining({ code: 'task_open', taskId: open }));
  });

  test('G11 a result is stale once the artifact has changed, and the transition validates anew', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await completeTaskWith(bench, requirementsDocument(600));
    await daemon.client.gate.validate({ ticketId });
    expect(await statusOf(ticketId)).toMatchObject({ stale: false, result: { outcome: 'passed' } });

    await daemon.client.artifact.put({ ticketId, artifact: requirementsDocument(100) });

    expect(await statusOf(ticketId)).toMatchObject({ stale: true });
    await expect(daemon.client.ticket.transition({ ticketId, to: 'DESIGN' })).rejects.toMatchObject({ kind: 'gate_blocked' });
    await daemon.client.artifact.put({ ticketId, artifact: requirementsDocument(800) });
    expect((await daemon.client.ticket.transition({ ticketId, to: 'DESIGN' })).ticket.phase).toBe('DESIGN');
    expect((await daemon.client.gate.results({ ticketId })).results.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'passed']);
  });
});

describe('the gates of IMPLEMENTATION and TESTING', () => {
  const codeChanges = { type: 'code_changes', content: { files: ['src/a.ts'], tests: ['src/a.test.ts'] } };
  const coverage = (percentage: number | null) => ({ type: 'test_coverage', content: { percentage } });

  const measured = [
    [80, 'passed'],
    [79.9, 'failed'],
    [null, 'failed'],
  ] as const;

  test.each(measured)('G12 coverage of %s: %s', async (percentage, outcome) => {
    const bench = await setUpBench(daemon, { phase: 'IMPLEMENTATION' });
    await completeTaskWith(bench, codeChanges, coverage(percentage));

    const result = await daemon.client.gate.validate({ ticketId: bench.ticket.id });

    expect(result.outcome).toBe(outcome);
    expect(result.reasons.map(({ code }) => code)).toEqual(outcome === 'passed' ? [] : ['validator_failed']);
  });

  test.each([{}, { tests: [] }, { tests: '' }, { tests: 'none' }, { tests: false }, { tests: null }, { tests: 12 }])(
    'G12 changes without tests fail: %j',
    async (tests) => {
      const bench = await setUpBench(daemon, { phase: 'IMPLEMENTATION' });
      await completeTaskWith(bench, { type: 'code_changes', content: { files: ['src/a.ts'], ...tests } }, coverage(95));

      expect(await daemon.client.gate.validate({ ticketId: bench.ticket.id })).toMatchObject({
        outcome: 'failed',
        reasons: [{ code: 'validator_failed' }],
      });
    },
  );

  test('G12 TESTING needs results without a failure, and the evidence', async () => {
    const bench = await setUpBench(daemon, { phase: 'TESTING' });
    const ticketId = bench.ticket.id;
    await completeTaskWith(bench, { type: 'test_results', content: { passed: 41, failed: 1 } });
    const first = await daemon.client.gate.validate({ ticketId });

    await daemon.client.artifact.put({ ticketId, artifact: { type: 'test_results', content: { passed: 42, failed: 0 } } });
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'test_evidence', content: { log: 'all passed' } } });
    const second = await daemon.client.gate.validate({ ticketId });

    expect(first.reasons.map(({ code }) => code).toSorted()).toEqual(['artifact_missing', 'validator_failed']);
    expect(second).toMatchObject({ outcome: 'passed', reasons: [] });
  });

  test.each([{ failed: 0 }, { passed: 0, failed: 0 }, { passed: 1, failed: 0, errors: 7 }, { passed: 1 }])(
    'G12 not all tests have passed: %j',
    async (content) => {
      const bench = await setUpBench(daemon, { phase: 'TESTING' });
      await completeTaskWith(bench, { type: 'test_results', content }, { type: 'test_evidence', content: { log: 'See there.' } });

      const { outcome, reasons } = await daemon.client.gate.validate({ ticketId: bench.ticket.id });

      expect({ outcome, codes: reasons.map(({ code }) => code) }).toEqual({ outcome: 'failed', codes: ['validator_failed'] });
    },
  );

  test('G14 after a regression the evidence of the earlier visit no longer counts', async () => {
    const bench = await setUpBench(daemon, { phase: 'IMPLEMENTATION' });
    const ticketId = bench.ticket.id;
    await completeTaskWith(bench, codeChanges, coverage(90));
    await daemon.client.ticket.transition({ ticketId, to: 'TESTING' });

    await daemon.client.ticket.transition({ ticketId, to: 'IMPLEMENTATION', reason: 'A test found a fault.' });

    const status = await statusOf(ticketId);
    expect(status.met).toBe(false);
    expect(status.missing.flatMap(({ artifactType }) => artifactType ?? []).toSorted()).toEqual(['code_changes', 'test_coverage']);
    await expect(daemon.client.ticket.transition({ ticketId, to: 'TESTING' })).rejects.toMatchObject({ kind: 'gate_blocked' });
  });
});

describe('what passes without evidence', () => {
  test('G13 a phase without a gate may be left at any time', async () => {
    const ticket = await daemon.client.ticket.create({ title: 'Nothing done yet' });

    const moved = await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'REQUIREMENTS' });

    expect(moved.ticket.phase).toBe('REQUIREMENTS');
    expect(await daemon.client.gate.status({ ticketId: (await daemon.client.ticket.create({ title: 'New' })).id })).toMatchObject({
      state: 'not_configured',
      met: true,
    });
  });

  test('G13 an admin may force a ticket past its gate, with a reason and an audit event', async () => {
    const { id } = await createTicketIn(daemon.client, 'REQUIREMENTS');

    await expect(daemon.client.ticket.transition({ ticketId: id, to: 'DESIGN', force: true })).rejects.toMatchObject({
      kind: 'invalid_params',
    });
    const { visit } = await daemon.client.ticket.transition({
      ticketId: id,
      to: 'DESIGN',
      force: true,
      reason: 'The customer is waiting.',
    });

    expect(visit.forced).toBe(true);
    const { events } = await daemon.client.event.list({ ticketId: id, limit: 1_000 });
    const audit = events.findLast(({ name }) => name === 'ticket.gateForced');
    expect(audit?.data).toMatchObject({ phase: 'REQUIREMENTS', reason: 'The customer is waiting.' });
    expect(JSON.stringify(audit?.data)).toContain('requirements_document');
  });

  test('G13 a blocked ticket gets around no gate: it is refused with the phases and the remedy, and has not moved', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await daemon.client.ticket.block({ ticketId, reason: 'The customer is away.' });

    const refused = await daemon.client.ticket.transition({ ticketId, to: 'TESTING' }).catch((error: unknown) => error);

    expect(refused).toMatchObject({
      kind: 'gate_blocked',
      message: expect.stringContaining('Return to REQUIREMENTS and go on from there') as string,
      data: {
        reasons: ['REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION'].map(
          (phase) => expect.objectContaining({ code: 'gate_skipped', phase }) as object,
        ),
      },
    });
    expect(await phaseOf(ticketId)).toBe('BLOCKED');
    expect((await daemon.client.ticket.validTransitions({ ticketId })).transitions).toEqual([
      { to: 'BACKLOG', kind: 'unblock' },
      { to: 'REQUIREMENTS', kind: 'unblock' },
      { to: 'DESIGN', kind: 'unblock', skipsGatesOf: ['REQUIREMENTS'] },
      { to: 'IMPLEMENTATION', kind: 'unblock', skipsGatesOf: ['REQUIREMENTS', 'DESIGN'] },
      { to: 'TESTING', kind: 'unblock', skipsGatesOf: ['REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION'] },
    ]);
    expect((await daemon.client.ticket.transition({ ticketId, to: 'REQUIREMENTS' })).ticket.phase).toBe('REQUIREMENTS');
  });

  test('G13 an admin may force a blocked ticket past gates, with an audit event for each', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await daemon.client.ticket.block({ ticketId, reason: 'The customer is away.' });
    const move = { ticketId, to: 'IMPLEMENTATION', force: true, reason: 'It was designed elsewhere.' };
    const operator = await daemon.connectAs('operator');

    await expect(operator.client.ticket.transition(move)).rejects.toMatchObject({ kind: 'access_denied' });
    const { visit } = await daemon.client.ticket.transition(move);

    expect(visit.forced).toBe(true);
    const { events } = await daemon.client.event.list({ ticketId, limit: 1_000 });
    const audits = events.flatMap(({ name, data }) =>
      name === 'ticket.gateForced' && data['reason'] === move.reason ? [data['phase']] : [],
    );
    expect(audits).toEqual(['REQUIREMENTS', 'DESIGN']);
  });

  test("G13 nor does one of a user's own workflow, whatever its edges are called", async () => {
    const name = `around ${crypto.randomUUID()}`;
    await daemon.client.workflow.put({
      definition: {
        name,
        phases: [{ name: 'WRITE' }, { name: 'CHECK', gate: { tasksMin: 1 } }, { name: 'PRINT' }, { name: 'STUCK' }],
        edges: [
          { from: 'WRITE', to: 'CHECK', kind: 'forward' },
          { from: 'CHECK', to: 'PRINT', kind: 'forward' },
          { from: 'CHECK', to: 'STUCK', kind: 'block' },
          { from: 'WRITE', to: 'STUCK', kind: 'block' },
          { from: 'WRITE', to: 'PRINT', kind: 'regression' },
          { from: 'STUCK', to: 'PRINT', kind: 'unblock' },
        ],
        blockedPhase: 'STUCK',
      },
    });
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Around', workflow: { name } });
    const around = () => outcomeOf(daemon.client.ticket.transition({ ticketId, to: 'PRINT' }));

    const before = await around();
    await daemon.client.ticket.block({ ticketId, reason: 'Once.' });
    const blockedInWrite = await around();
    await daemon.client.ticket.unblock({ ticketId });
    await daemon.client.ticket.transition({ ticketId, to: 'CHECK' });
    await daemon.client.ticket.block({ ticketId, reason: 'Twice.' });
    const blockedInCheck = await around();

    expect([before, blockedInWrite, blockedInCheck]).toEqual(['gate_blocked', 'gate_blocked', 'gate_blocked']);
    expect(await phaseOf(ticketId)).toBe('STUCK');
  });
});
