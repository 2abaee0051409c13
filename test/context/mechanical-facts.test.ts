import { writeFile } from 'node:fs/promises';
import type { JsonValue } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const recorded = async (ticketId: string, filter: object = {}) =>
  (await daemon.client.context.list({ ticketId, sources: ['mechanical', 'reported'], ...filter })).items;
const textsOf = (items: readonly { text: string }[]) => items.map(({ text }) => text);

describe('recorded without being said', () => {
  test('are the files, commands and test counts of the evidence, with the completion that brought it', async () => {
    const bench = await setUpBench(daemon);
    const [taskId] = await bench.submit({});

    await bench.agent.complete(await bench.agent.claimOne(), {
      artifacts: [
        { type: 'code_changes', name: 'fix', content: { files: ['src/a.ts', { path: 'src/b.ts' }], commands: ['npm run build'] } },
        { type: 'test_results', name: 'unit', content: { passed: 41, failed: 1 } },
        { type: 'test_report', name: 'e2e', content: '<testsuites tests="7" failures="2" errors="0" skipped="1"></testsuites>' },
      ],
    });

    const items = await recorded(bench.ticket.id);
    expect(items.map(({ kind, text, taskId }) => ({ kind, text, taskId }))).toEqual([
      { kind: 'fact', text: `code_changes "fix" touches src/a.ts, src/b.ts, reported by ${bench.agent.name}`, taskId },
      { kind: 'fact', text: `code_changes "fix" ran npm run build, reported by ${bench.agent.name}`, taskId },
      { kind: 'number', text: `test_results "unit": 41 passed, 1 failed, reported by ${bench.agent.name}`, taskId },
      { kind: 'number', text: `test_report "e2e": 4 passed, 2 failed, 1 skipped, reported by ${bench.agent.name}`, taskId },
    ]);
    expect(items[0]!.references).toContainEqual({ kind: 'file', value: 'src/b.ts' });
    expect(new Set(items.map(({ author, source }) => `${author} ${source}`))).toEqual(new Set([`${bench.agent.name} reported`]));
    expect(items[2]!.data).toEqual({ passed: 41, failed: 1 });
  });

  test('are the files that an attempt held, taken on the way or declared', async () => {
    const bench = await setUpBench(daemon);
    await bench.submit({ title: 'Mend it', locks: [{ key: `file:src/${bench.type}.ts` }] });
    const claim = await bench.agent.claimOne();
    const { taskId, attempt } = claim;
    await bench.agent.client.lock.acquire({
      keys: [{ key: `file:test/${bench.type}.ts` }, { key: `port:${bench.type}` }],
      taskId,
      attempt,
    });
    await bench.agent.client.lock.release({ taskId, attempt });

    await bench.agent.complete(claim);

    expect(await recorded(bench.ticket.id)).toMatchObject([
      { text: `"Mend it" held the locks of src/${bench.type}.ts, test/${bench.type}.ts`, author: 'coordinator', source: 'mechanical' },
    ]);
  });

  test('are few, whatever an artifact lists', async () => {
    const bench = await setUpBench(daemon);
    await bench.submit({});

    await bench.agent.complete(await bench.agent.claimOne(), {
      artifacts: Array.from({ length: 50 }, (_, index) => ({
        type: 'code_changes',
        name: `change ${index}`,
        content: { files: Array.from({ length: 200 }, (_, file) => `src/${index}/${file}.ts`) },
      })),
    });

    const items = await recorded(bench.ticket.id);
    expect(items).toHaveLength(20);
    expect(items[0]!.text).toMatch(/ and 170 more, reported by /);
    expect(items[0]!.references.length).toBeLessThanOrEqual(31);
  });

  test('of a newer version take the place of the older', async () => {
    const { ticket } = await setUpBench(daemon);
    const put = (content: { passed: number; failed: number }) =>
      daemon.client.artifact.put({ ticketId: ticket.id, artifact: { type: 'test_results', name: 'unit', content } });
    await put({ passed: 40, failed: 1 });
    await put({ passed: 41, failed: 0 });

    expect(textsOf(await recorded(ticket.id, { superseded: false }))).toEqual([
      'test_results "unit": 41 passed, 0 failed, reported by admin',
    ]);
    expect(await recorded(ticket.id, { superseded: true })).toMatchObject([
      { text: 'test_results "unit": 40 passed, 1 failed, reported by admin', superseded: { by: 'c:4' } },
    ]);
    const { text } = await daemon.client.context.get({ ticketId: ticket.id, forPhase: 'DESIGN' });
    expect(text).toContain('test_results "unit" version 2');
    expect(text).not.toContain('version 1');
  });
});

test('a count that is pinned stays so in its newer version', async () => {
  const { ticket } = await setUpBench(daemon);
  const ticketId = ticket.id;
  const put = (content: { passed: number }) =>
    daemon.client.artifact.put({ ticketId, artifact: { type: 'test_results', name: 'unit', content } });
  await put({ passed: 40 });
  await daemon.client.context.pin({ ticketId, citation: 'c:2' });

  await put({ passed: 41 });

  expect((await daemon.client.context.list({ ticketId, pinned: true, superseded: false })).items).toMatchObject([
    { text: 'test_results "unit": 41 passed, reported by admin' },
  ]);
});

test('what a gate finds and runs is recorded, and goes when the gate says it no more', async () => {
  const name = uniqueType();
  const program = (path: string) =>
    `process.stdin.resume().on('end', () => { const found = require('node:fs').existsSync(${JSON.stringify(path)}) ? [] : [{ severity: 'fail', code: 'no_license', message: 'There is no licence.', path: 'LICENSE', line: 2 }]; console.log(JSON.stringify({ findings: found })); })`;
  const path = `${daemon.dataDir}/licence ${name}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [
        {
          name: 'WORK',
          gate: { tasksMin: 0, validators: [{ use: 'command', config: { command: [process.execPath, '-e', program(path)] } }] },
        },
        { name: 'END' },
      ],
      edges: [{ from: 'WORK', to: 'END', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'With a gate', workflow: { name } });

  await daemon.client.gate.validate({ ticketId });

  const [finding, command] = await recorded(ticketId);
  expect(finding).toMatchObject({
    text: "The gate's command says fail no_license at LICENSE:2: There is no licence.",
    data: { validator: 'command', severity: 'fail', code: 'no_license', path: 'LICENSE', line: 2 },
    references: [{ kind: 'file', value: 'LICENSE', line: 2 }],
  });
  expect(command!.text).toMatch(/^The gate ran `.*`: fail$/);
  expect([finding!.author, command!.author, finding!.source]).toEqual(['coordinator', 'coordinator', 'mechanical']);

  await writeFile(path, 'ISC');
  await daemon.client.gate.validate({ ticketId });

  const held = await recorded(ticketId, { superseded: false });
  expect(held).toHaveLength(1);
  expect(held[0]!.text).toMatch(/`: pass$/);
});

/** A ticket whose gate judges a `report` by these validators. */
async function openJudged(...validators: readonly { use: string; config?: Record<string, JsonValue> }[]) {
  const name = uniqueType();
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'WORK', gate: { tasksMin: 0, validators: [...validators] } }, { name: 'END' }],
      edges: [{ from: 'WORK', to: 'END', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'To be judged', workflow: { name } });
  return ticketId;
}

describe('a finding of a gate', () => {
  const criteria = ['length', 'sections'].map((path) => ({
    artifact: 'report',
    path,
    op: path === 'length' ? '>' : 'contains',
    value: 50,
  }));
  const judge = async (ticketId: string, content: Record<string, JsonValue>) => {
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'report', content } });
    await daemon.client.gate.validate({ ticketId });
  };
  const findingsOf = (ticketId: string) => recorded(ticketId, { sources: ['mechanical'], superseded: false });

  test('takes the place of what was found before about the same, and its pin', async () => {
    const ticketId = await openJudged({ use: 'criteria', config: { criteria } });
    await judge(ticketId, { length: 10, sections: [50] });
    const [before] = await findingsOf(ticketId);
    await daemon.client.context.pin({ ticketId, citation: before!.citation });

    await judge(ticketId, { length: 20, sections: [] });

    const found = (await findingsOf(ticketId)).map(({ text, pinned }) => ({ text, pinned }));
    expect(found).toEqual([
      { text: expect.stringContaining('length is 20'), pinned: true },
      { text: expect.stringContaining('sections is []'), pinned: false },
    ]);
    const [given] = await recorded(ticketId, { sources: ['mechanical'], superseded: true });
    const { item, items } = await daemon.client.context.expand({ ticketId, citation: given!.citation });
    expect(item.text).toContain('length is 10');
    expect(items.map(({ text }) => text)).toEqual([expect.stringContaining('length is 20')]);
  });

  test('hands its pin to all that is found about the same, where that is more than one thing', async () => {
    const ticketId = await openJudged({ use: 'criteria', config: { criteria: [criteria[0]!, { ...criteria[0]!, op: '==' }] } });
    await judge(ticketId, { length: 10 });
    await daemon.client.context.pin({ ticketId, citation: (await findingsOf(ticketId))[0]!.citation });

    await judge(ticketId, { length: 20 });

    expect(await findingsOf(ticketId)).toMatchObject([
      { text: expect.stringContaining('length is 20'), pinned: true },
      { text: expect.stringContaining('length is 20'), pinned: true },
    ]);
  });

  test('holds no more once the gate does not say it', async () => {
    const ticketId = await openJudged({ use: 'criteria', config: { criteria } });
    await judge(ticketId, { length: 10, sections: [] });
    await judge(ticketId, { length: 10, sections: [50] });
    expect(textsOf(await findingsOf(ticketId))).toEqual([expect.stringContaining('length is 10')]);

    await judge(ticketId, { length: 60, sections: [50] });

    expect(await findingsOf(ticketId)).toEqual([]);
  });

  test('is recorded of a gate that passes, too', async () => {
    const ticketId = await openJudged({ use: 'junit' });
    await daemon.client.artifact.put({
      ticketId,
      artifact: { type: 'test_report', content: '<testsuite name="a" tests="2"><testcase name="one"/><testcase name="two"/></testsuite>' },
    });

    expect((await daemon.client.gate.validate({ ticketId })).outcome).toBe('passed');

    expect(textsOf(await findingsOf(ticketId))).toEqual([
      `The gate's junit says info tests_ran: 2 tests ran in "default": 2 passed and 0 failed. 0 were skipped.`,
    ]);
  });

  test('tells what was counted, however much has failed', async () => {
    const ticketId = await openJudged({ use: 'junit' }, { use: 'coverage' });
    const cases = Array.from({ length: 150 }, (_, index) => `<testcase name="t${index}"><failure message="no"/></testcase>`);
    const content = `<testsuite name="a">${cases.join('')}<testcase name="good"/><testcase name="later"><skipped/></testcase></testsuite>`;
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'test_report', content } });
    const total = { lines: { total: 1_000, covered: 799 }, branches: { total: 3, covered: 2 }, functions: { total: 0, covered: 0 } };
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'test_coverage', content: { total } } });

    await daemon.client.gate.validate({ ticketId });

    const told = textsOf(await findingsOf(ticketId));
    expect(told).toHaveLength(20);
    expect(told.slice(-2)).toEqual([
      `The gate's junit says info tests_ran: 151 tests ran in "default": 1 passed and 150 failed. 1 were skipped.`,
      `The gate's coverage says info coverage_measured: test_coverage "default": lines 79.9 % (799 of 1000), branches 66.66 % (2 of 3), functions 0 of 0.`,
    ]);
  });
});

test('the files that a failed or released attempt held are recorded for the next, once', async () => {
  const bench = await setUpBench(daemon);
  await bench.submit({ title: 'Mend it', locks: [{ key: `file:src/${bench.type}.ts` }] });
  const first = await bench.agent.claimOne();
  await bench.agent.client.task.release({ taskId: first.taskId, attempt: first.attempt });
  const second = await bench.agent.claimOne();

  await bench.agent.fail(second, { permanent: true });

  expect(await recorded(bench.ticket.id)).toMatchObject([
    { text: `"Mend it" held the locks of src/${bench.type}.ts`, source: 'mechanical', attempt: 1 },
  ]);
});

test('an attempt that never reached an agent has held nothing that is recorded', async () => {
  const bench = await setUpBench(daemon);
  const [taskId] = await bench.submit({ input: { last: '{{ gate.outcome }}' }, locks: [{ key: `file:src/${bench.type}.ts` }] });

  expect(await bench.agent.claim({ max: 1 })).toEqual([]);

  expect(await daemon.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'failed', error: { code: 'input_unresolved' } });
  expect(await recorded(bench.ticket.id)).toEqual([]);
});

test('who refuses an approval leaves why, for those who come after the regression', async () => {
  const name = uniqueType();
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'WORK', gate: { tasksMin: 0, approvals: [{ name: 'release' }] } }, { name: 'END' }],
      edges: [{ from: 'WORK', to: 'END', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'To be approved', workflow: { name } });
  await daemon.client.gate.validate({ ticketId });
  const [approval] = (await daemon.client.approval.list({ ticketId })).approvals;
  const { client: ben } = await daemon.connectAs('operator', 'ben');

  await ben.approval.decide({ approvalId: approval!.id, decision: 'refuse', comment: 'The migration locks the table.' });

  const { text } = await daemon.client.context.get({ ticketId, forPhase: 'END' });
  expect(text).toContain('- ben refused the approval "release" (The migration locks the table.) [c:1, WORK]');
  expect((await daemon.client.context.list({ ticketId })).items).toMatchObject([{ author: 'ben', source: 'said', kind: 'fact' }]);
  const { client: eve } = await daemon.connectAs('agent', 'eve');
  const by = { kind: 'fact' as const, text: 'ben agreed in the end' };
  expect(await outcomeOf(eve.context.supersede({ ticketId, citation: 'c:1', by, reason: 'He said so.' }))).toBe('access_denied');
});
