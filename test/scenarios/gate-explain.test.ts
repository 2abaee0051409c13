import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { completeTaskWith, createTicketIn, outcomeOf, requirementsDocument, setUpBench, uniqueType } from '../support/work.ts';

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

test('an open task hides nothing of what the validators find in what is there', async () => {
  const { ticket, agent, submit } = await setUpBench(daemon);
  const [, review] = await submit({ ref: 'mine' }, { ref: 'review', dependsOn: ['mine'] });
  const { taskId } = await agent.claimOne();

  const { missing } = await agent.client.gate.explain({
    ticketId: ticket.id,
    assume: { completed: [taskId], artifacts: [requirementsDocument(100)] },
  });

  expect(missing).toMatchObject([
    { code: 'task_open', taskId: review },
    { code: 'validator_failed', validator: 'criteria' },
  ]);
});

test('a type that is missing is said once, however much is wanted of it', async () => {
  const workflow = { name: uniqueType() };
  const criteria = ['a', 'b'].map((path) => ({ artifact: 'report', path, op: 'exists' as const }));
  await daemon.client.workflow.put({
    definition: {
      ...workflow,
      phases: [
        { name: 'BUILD', gate: { tasksMin: 0, criteria, validators: [{ use: 'criteria', config: { criteria } }] } },
        { name: 'DONE' },
      ],
      edges: [{ from: 'BUILD', to: 'DONE', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'T', workflow });

  const { missing } = await daemon.client.gate.explain({ ticketId });

  expect(missing).toEqual([{ code: 'artifact_missing', artifactType: 'report', message: 'There is no artifact report in this visit.' }]);
});

test('a task that nobody can complete any more is not taken for completed', async () => {
  const { ticket, submit } = await setUpBench(daemon);
  const [taskId = ''] = await submit({});
  await daemon.client.task.cancel({ taskId, reason: 'No longer wanted.' });

  const asked = daemon.client.gate.explain({ ticketId: ticket.id, assume: { completed: [taskId] } });

  await expect(asked).rejects.toMatchObject({ kind: 'task_state_refused', data: { taskId, state: 'cancelled', step: 'complete' } });
});

describe('what could not be stored is refused as it would be then', () => {
  const over = { type: 'requirements_document', content: { length: 600, text: 'x'.repeat(512 * 1024) } };

  test('an artifact that is too large', async () => {
    const { ticket } = await setUpBench(daemon);

    const asked = daemon.client.gate.explain({ ticketId: ticket.id, assume: { artifacts: [over] } });

    await expect(asked).rejects.toMatchObject({
      kind: 'limit_exceeded',
      message: expect.stringContaining('inline content may have 524288') as string,
    });
  });

  test.each([
    ['was cancelled', (ticketId: string) => daemon.client.ticket.cancel({ ticketId, reason: 'No longer wanted.' }), 'DEPLOYMENT'],
    [
      'has come to its end',
      (ticketId: string) => daemon.client.ticket.transition({ ticketId, to: 'DONE', force: true, reason: 'The test wants it.' }),
      'DONE',
    ],
  ])('anything, for a ticket that %s', async (what, end, phase) => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'DEPLOYMENT');
    await end(ticketId);

    const asked = daemon.client.gate.explain({ ticketId });

    await expect(asked).rejects.toMatchObject({
      kind: 'phase_closed',
      data: { ticketId, phase },
      message: expect.stringContaining(what) as string,
    });
  });

  test('evidence for a ticket that is blocked, and nothing else of it', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'BLOCKED');

    const asked = daemon.client.gate.explain({ ticketId, assume: { artifacts: [requirementsDocument(1)] } });

    await expect(asked).rejects.toMatchObject({ kind: 'phase_closed', message: expect.stringContaining('is blocked') as string });
    expect(await daemon.client.gate.explain({ ticketId })).toMatchObject({ phase: 'BLOCKED', missing: [] });
  });
});

test('of several pieces of evidence with one type and name the last counts, as the newest version would', async () => {
  const { ticket, agent, submit } = await setUpBench(daemon);
  await submit({});
  const { taskId } = await agent.claimOne();
  const ask = (...lengths: number[]) =>
    agent.client.gate.explain({
      ticketId: ticket.id,
      assume: { completed: [taskId], artifacts: lengths.map((n) => requirementsDocument(n)) },
    });

  const [worse, better] = [await ask(600, 100), await ask(100, 600)];

  expect(worse).toMatchObject({ ready: false, missing: [{ code: 'validator_failed' }] });
  expect(better).toMatchObject({ ready: true, missing: [] });
});

test('evidence that lies elsewhere takes no room, however large it is', async () => {
  const { ticket, agent, submit } = await setUpBench(daemon);
  await submit({});
  const { taskId } = await agent.claimOne();
  const log = { type: 'log', uri: 'https://example.com/log', sha256: 'a'.repeat(64), sizeBytes: 10 ** 12 };

  const { missing } = await agent.client.gate.explain({
    ticketId: ticket.id,
    assume: { completed: [taskId], artifacts: [requirementsDocument(600), log] },
  });

  expect(missing).toEqual([]);
});

describe('what is assumed is judged as it would be once it is stored', () => {
  const review = (name: string, verdict: string) => ({ type: 'review', name, content: { verdict } });
  const reviewed = async () => {
    const ticketId = await openTicket({ tasksMin: 0, validators: [{ use: 'review', config: { approvals: 1, unanimous: true } }] });
    const connect = async (name: string) => (await daemon.connectAs('operator', `${name} ${crypto.randomUUID()}`)).client;
    const [bob, eva] = await Promise.all([connect('bob'), connect('eva')]);
    const write = (lines: number) => daemon.client.artifact.put({ ticketId, artifact: { type: 'code', content: { lines } } });
    return { ticketId, bob, eva, write };
  };
  const codes = async (asked: Promise<{ verdicts: readonly { findings: readonly { code: string }[] }[] }>) =>
    (await asked).verdicts.flatMap(({ findings }) => findings.map(({ code }) => code));

  test('the same word again makes no new version, and so stays as old as it is', async () => {
    const { ticketId, bob, write } = await reviewed();
    await write(1);
    const artifact = review('bob', 'approve');
    await bob.artifact.put({ ticketId, artifact });
    await write(2);

    const said = await codes(bob.gate.explain({ ticketId, assume: { artifacts: [artifact] } }));
    await bob.artifact.put({ ticketId, artifact });

    expect(said).toContain('review_outdated');
    expect(said).toEqual(await codes(bob.gate.validate({ ticketId })));
  });

  test('a refusal does not go away under the name of another', async () => {
    const { ticketId, bob, eva, write } = await reviewed();
    await write(1);
    await bob.artifact.put({ ticketId, artifact: review('first', 'refuse') });
    const artifact = review('first', 'approve');

    const [others, own] = await Promise.all(
      [eva, bob].map((each) => codes(each.gate.explain({ ticketId, assume: { artifacts: [artifact] } }))),
    );
    await eva.artifact.put({ ticketId, artifact });

    expect(own).toEqual([]);
    expect(others).toEqual(['review_replaced']);
    expect(others).toEqual(await codes(eva.gate.validate({ ticketId })));
  });
});

test('a task of another visit cannot be assumed', async () => {
  const { ticket } = await setUpBench(daemon);
  const elsewhere = await createTicketIn(daemon.client, 'REQUIREMENTS');

  const asked = daemon.client.gate.explain({ ticketId: ticket.id, assume: { completed: [elsewhere.id] } });

  await expect(asked).rejects.toMatchObject({ kind: 'task_not_found', data: { taskId: elsewhere.id } });
});

/** A ticket of a workflow of its own whose first phase has this gate. */
async function openTicket(gate: object) {
  const name = `explained ${crypto.randomUUID()}`;
  const phases = [{ name: 'CODE', gate }, { name: 'DONE' }];
  await daemon.client.workflow.put({ definition: { name, phases, edges: [{ from: 'CODE', to: 'DONE', kind: 'forward' }] } });
  return (await daemon.client.ticket.create({ title: 'Explained', workflow: { name } })).id;
}

test('a validator that skips for want of a missing artifact does not say so again, and the approvals to come are told', async () => {
  const ticketId = await openTicket({
    tasksMin: 0,
    artifacts: ['test_coverage'],
    validators: [{ use: 'coverage' }],
    approvals: [{ name: 'release' }],
  });

  const { missing, verdicts } = await daemon.client.gate.explain({ ticketId });
  const { state } = await daemon.client.gate.status({ ticketId });

  expect(missing.map(({ code }) => code)).toEqual(['artifact_missing', 'approval_later']);
  expect(verdicts).toMatchObject([{ validator: 'coverage', outcome: 'skipped' }]);
  expect(state).toBe('blocked');
  expect((await daemon.client.approval.list({ ticketId })).approvals).toEqual([]);
});

test('a task that is completed already assumes nothing: what was approved is approved', async () => {
  const ticketId = await openTicket({ tasksMin: 0, approvals: [{ name: 'release' }] });
  const type = uniqueType();
  const worker = await daemon.connectAgent({ capabilities: [type] });
  await daemon.client.task.submit({ ticketId, tasks: [{ type }] });
  const { taskId, attempt } = await worker.claimOne();
  await worker.client.task.complete({ taskId, attempt });
  await daemon.client.gate.validate({ ticketId });
  const [approval] = (await daemon.client.approval.list({ ticketId })).approvals;
  const { client: reader } = await daemon.connectAs('operator', 'reader');
  await reader.approval.decide({ approvalId: approval!.id, decision: 'approve' });

  const { missing } = await daemon.client.gate.explain({ ticketId, assume: { completed: [taskId] } });

  expect(missing).toEqual([]);
});

test('what is assumed may be the work of an attempt, whose task is then taken for completed by it', async () => {
  const type = uniqueType();
  const ticketId = await openTicket({ validators: [{ use: 'lease-guard' }] });
  const agent = await daemon.connectAgent({ capabilities: [type] });
  const submitted = await daemon.client.task.submit({ ticketId, tasks: [{ type, locks: [{ key: 'file:src/a.ts' }] }] });
  const taskId = submitted.tasks[0]!.id;
  await agent.claimOne();
  const ask = (file: string, origin: { taskId?: string }) =>
    agent.client.gate.explain({
      ticketId,
      assume: { completed: [taskId], artifacts: [{ type: 'code_changes', content: { files: [file] }, ...origin }] },
    });

  const [own, others, nobodys] = [await ask('src/a.ts', { taskId }), await ask('src/b.ts', { taskId }), await ask('src/a.ts', {})];

  expect(own).toMatchObject({ ready: true, missing: [] });
  expect(others.missing).toMatchObject([{ findingCode: 'file_not_held', path: 'src/b.ts' }]);
  expect(nobodys.missing).toMatchObject([{ findingCode: 'attempt_unknown' }]);
  await expect(ask('src/a.ts', { taskId: ticketId })).rejects.toMatchObject({ kind: 'task_not_found' });
});
