import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { holdCommits } from '../support/hold-commits.ts';
import { setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const itemsOf = async (ticketId: string, filter: object = {}) =>
  (await daemon.client.context.list({ ticketId, limit: 1_000, ...filter })).items;
const textsOf = async (ticketId: string, filter: object = {}) => (await itemsOf(ticketId, filter)).map(({ text }) => text);
const mysql = { kind: 'decision' as const, text: 'Use MySQL.' };

describe('what was given up since an attempt began', () => {
  const giveUpDuringAttempt = async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await daemon.client.context.note({ ticketId, item: mysql });
    await bench.submit({});
    const claim = await bench.agent.claimOne();
    const by = { kind: 'decision' as const, text: 'Use PostgreSQL.' };
    await daemon.client.context.supersede({ ticketId, citation: 'c:1', by, reason: 'It locks rows.' });
    return { bench, ticketId, claim };
  };

  test('stays given up when the attempt returns it', async () => {
    const { bench, ticketId, claim } = await giveUpDuringAttempt();

    await bench.agent.complete(claim, { context: [mysql], output: { decisions: ['Use MySQL.'] } });

    expect(await textsOf(ticketId, { superseded: false })).toEqual(['Use PostgreSQL.']);
    expect(await itemsOf(ticketId, { superseded: true })).toMatchObject([
      { citation: 'c:1' },
      { citation: 'c:3', author: bench.agent.name, superseded: { by: 'c:2', reason: 'It locks rows.' } },
    ]);
    const { events } = await daemon.client.event.list({ ticketId, limit: 1_000 });
    expect(events.findLast(({ name }) => name === 'context.superseded')!.data).toMatchObject({ citations: ['c:3'], by: 'c:2' });
  });

  test('holds where somebody has said it again since', async () => {
    const { bench, ticketId, claim } = await giveUpDuringAttempt();
    await daemon.client.context.note({ ticketId, item: mysql });

    await bench.agent.complete(claim, { context: [mysql] });

    expect(await textsOf(ticketId, { superseded: false })).toEqual(['Use PostgreSQL.', 'Use MySQL.']);
  });

  test('holds again when an attempt that began later returns it', async () => {
    const { bench, ticketId, claim } = await giveUpDuringAttempt();
    await bench.agent.complete(claim, {});
    await bench.submit({});

    await bench.agent.complete(await bench.agent.claimOne(), { context: [mysql] });

    expect(await textsOf(ticketId, { superseded: false })).toEqual(['Use PostgreSQL.', 'Use MySQL.']);
  });
});

test('what an output lists without a text is named, beside what it lists as items', async () => {
  const bench = await setUpBench(daemon);
  await bench.submit({ title: 'Measure it' });

  await bench.agent.complete(await bench.agent.claimOne(), { output: { numbers: [500, { text: '12 ms', unit: 'ms' }] } });

  expect(await itemsOf(bench.ticket.id)).toMatchObject([
    { text: '12 ms', source: 'said', data: { unit: 'ms' } },
    { text: 'The output of "Measure it" has under "numbers" what has no text and was not taken: 500', source: 'mechanical', data: [500] },
  ]);
});

test('of artifacts of one name in one completion the last holds', async () => {
  const bench = await setUpBench(daemon);
  await bench.submit({});
  const results = (passed: number) => ({ type: 'test_results', name: 'unit', content: { passed } });

  await bench.agent.complete(await bench.agent.claimOne(), { artifacts: [results(40), results(41)] });

  const holding = await textsOf(bench.ticket.id, { superseded: false });
  expect(holding).toHaveLength(2);
  expect(holding[0]).toContain('test_results "unit" version 2');
  expect(holding[1]).toContain('41 passed');
});

test('what an agent reports leaves room for its locks, and nothing old stands for what had no room', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  const results = (name: number, passed: number) => ({ type: 'test_results', name: `suite ${name}`, content: { passed } });
  await daemon.client.artifact.put({ ticketId, artifact: results(24, 7) });
  await bench.submit({ title: 'Mend it', locks: [{ key: `file:src/${bench.type}.ts` }] });

  await bench.agent.complete(await bench.agent.claimOne(), { artifacts: Array.from({ length: 25 }, (_, name) => results(name, 8)) });

  const holding = await textsOf(ticketId, { superseded: false, sources: ['mechanical', 'reported'] });
  expect(holding).toHaveLength(20);
  expect(holding).toContain(`"Mend it" held the locks of src/${bench.type}.ts`);
  expect(holding.filter((text) => text.includes('7 passed'))).toEqual([]);
});

test('what an older version of an artifact told goes when a newer one does not tell it, but for what was pinned', async () => {
  const { ticket } = await setUpBench(daemon);
  const change = (name: string, content: object) =>
    daemon.client.artifact.put({ ticketId: ticket.id, artifact: { type: 'code_changes', name, content: { ...content } } });
  const told = () => textsOf(ticket.id, { superseded: false, sources: ['reported'] });
  await change('a', { files: ['src/a.ts'], commands: ['make'] });
  await change('b', { files: ['src/b.ts'], commands: ['make'] });
  const pinned = (await itemsOf(ticket.id, { sources: ['reported'] })).find(({ text }) => text.includes('src/b.ts'))!;
  await daemon.client.context.pin({ ticketId: ticket.id, citation: pinned.citation });

  await change('a', { note: 'Nothing is touched.' });
  await change('b', { commands: ['make test'] });

  expect(await told()).toEqual([
    'code_changes "b" touches src/b.ts, reported by admin',
    'code_changes "b" ran make test, reported by admin',
  ]);
});

test('of versions of an artifact in one completion the last alone tells', async () => {
  const bench = await setUpBench(daemon);
  await bench.submit({});
  const change = (content: object) => ({ type: 'code_changes', name: 'a', content: { ...content } });

  await bench.agent.complete(await bench.agent.claimOne(), {
    artifacts: [change({ files: ['src/a.ts'] }), change({ commands: ['make'] })],
  });

  expect(await textsOf(bench.ticket.id, { superseded: false, sources: ['reported'] })).toEqual([expect.stringContaining('"a" ran make')]);
});

test('of completions that are stored together the last counts, also where it has no room to tell', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  await bench.submit({}, {}, {});
  const results = (name: number, passed: number) => ({ type: 'test_results', name: `suite ${name}`, content: { passed } });
  const many = Array.from({ length: 25 }, (_, name) => results(name, 8));
  const claims = await bench.agent.claim({ max: 3 });
  await using commits = await holdCommits(daemon);

  // While the first is stored the others gather.
  const completing = [[], [results(24, 7), results(3, 7)], many].map((artifacts, index) =>
    bench.agent.complete(claims[index]!, { artifacts }),
  );
  await bench.agent.client.task.get({ taskId: claims[0]!.taskId });
  await commits.letGo();
  await Promise.all(completing);

  const { items } = await daemon.client.context.list({ ticketId, limit: 1_000, superseded: false, sources: ['reported'] });
  const holding = items.map(({ text }) => text);
  expect(holding).toHaveLength(20);
  expect(holding.filter((text) => text.includes('7 passed'))).toEqual([]);
});

test('a text that has to be cut is cut between characters', async () => {
  const bench = await setUpBench(daemon);
  await bench.submit({});
  const path = `${'x'.repeat(298)}😀.ts`;

  await bench.agent.complete(await bench.agent.claimOne(), { artifacts: [{ type: 'code_changes', content: { files: [path] } }] });

  expect((await itemsOf(bench.ticket.id, { sources: ['reported'] }))[0]!.references).toContainEqual({
    kind: 'file',
    value: `${'x'.repeat(298)}…`,
  });
});

test('a refusal holds until the approval is given', async () => {
  const name = uniqueType();
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'WORK', gate: { tasksMin: 0, approvals: [{ name: 'release' }] } }, { name: 'END' }],
      edges: [{ from: 'WORK', to: 'END', kind: 'forward' }],
    },
  });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'To be approved', workflow: { name } });
  const { client: ben } = await daemon.connectAs('operator', 'ben');
  const waiting = async () => {
    await daemon.client.gate.validate({ ticketId, renew: true });
    return (await daemon.client.approval.list({ ticketId })).approvals.find(({ state }) => state === 'waiting')!.id;
  };
  await ben.approval.decide({ approvalId: await waiting(), decision: 'refuse', comment: 'It locks the table.' });
  expect(await textsOf(ticketId, { superseded: false })).toEqual(['ben refused the approval "release"']);

  await ben.approval.decide({ approvalId: await waiting(), decision: 'approve' });

  expect(await itemsOf(ticketId)).toMatchObject([{ superseded: { reason: 'The approval was given.' } }]);
});
