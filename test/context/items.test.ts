import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn, outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const open = async () => (await createTicketIn(daemon.client, 'REQUIREMENTS')).id;
const note = (ticketId: string, text: string, more: object = {}) =>
  daemon.client.context.note({ ticketId, item: { kind: 'decision', text, ...more } });
const packOf = (ticketId: string, more: object = {}) => daemon.client.context.get({ ticketId, forPhase: 'DESIGN', ...more });
const eventsOf = async (ticketId: string, name: string) =>
  (await daemon.client.event.list({ ticketId, limit: 1_000 })).events.filter((event) => event.name === name).map(({ data }) => data);

describe('what no longer holds', () => {
  test('is in no pack, and stays listed with what took its place', async () => {
    const ticketId = await open();
    await note(ticketId, 'Use MySQL.');

    const { superseded, by } = await daemon.client.context.supersede({
      ticketId,
      citation: 'c:1',
      by: { kind: 'decision', text: 'Use PostgreSQL.' },
      reason: 'It locks rows.',
    });

    expect(by).toMatchObject({ citation: 'c:2', text: 'Use PostgreSQL.' });
    expect(superseded).toMatchObject({ citation: 'c:1', superseded: { by: 'c:2', reason: 'It locks rows.' } });
    const { text, omitted } = await packOf(ticketId);
    expect(text).toContain('Use PostgreSQL.');
    expect(text).not.toContain('MySQL');
    expect(omitted).toEqual([]);
    const listed = await daemon.client.context.list({ ticketId, superseded: true });
    expect(listed.items).toEqual([superseded]);
    expect(await eventsOf(ticketId, 'context.superseded')).toMatchObject([{ citations: ['c:1'], by: 'c:2', reason: 'It locks rows.' }]);
  });

  test('is in no pack either where a phase that was left had stored it', async () => {
    const ticketId = await open();
    await note(ticketId, 'Use MySQL.');
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    await note(ticketId, 'Use PostgreSQL.');

    await daemon.client.context.supersede({ ticketId, citation: 'c:1', by: 'c:2', reason: 'It locks rows.' });

    expect((await packOf(ticketId)).text).not.toContain('MySQL');
    const { items } = await daemon.client.context.aggregate({ ticketId, phase: 'REQUIREMENTS' });
    expect(items).toEqual([]);
  });

  test('goes wherever the ticket says it, so that no older copy comes back', async () => {
    const ticketId = await open();
    await note(ticketId, 'Use MySQL.');
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    await note(ticketId, 'Use MySQL.');

    await daemon.client.context.supersede({
      ticketId,
      citation: 'c:2',
      by: { kind: 'decision', text: 'Use PostgreSQL.' },
      reason: 'Rows.',
    });

    expect((await packOf(ticketId, { forPhase: 'IMPLEMENTATION' })).text).not.toContain('MySQL');
  });

  test('may be said again, and then holds again', async () => {
    const ticketId = await open();
    await note(ticketId, 'Use MySQL.');
    await daemon.client.context.supersede({ ticketId, citation: 'c:1', by: { kind: 'decision', text: 'Use SQLite.' }, reason: 'Small.' });

    expect(await note(ticketId, 'Use MySQL.')).toMatchObject({ citation: 'c:3' });
    expect((await packOf(ticketId)).text).toContain('Use MySQL. [c:3, REQUIREMENTS]');
  });

  test('cannot be superseded or pinned once more, nor take its own place', async () => {
    const ticketId = await open();
    await note(ticketId, 'Use MySQL.');
    await note(ticketId, 'Use PostgreSQL.');
    const supersede = (citation: string, by: string | { kind: 'decision'; text: string }) =>
      outcomeOf(daemon.client.context.supersede({ ticketId, citation, by, reason: 'A test.' }));

    expect(await supersede('c:1', 'c:1')).toBe('invalid_params');
    expect(await supersede('c:1', { kind: 'decision', text: 'Use MySQL.' })).toBe('invalid_params');
    expect(await supersede('c:1', 'c:9')).toBe('context_item_not_found');
    expect(await supersede('c:1', 'c:2')).toBe('accepted');
    expect(await supersede('c:1', 'c:2')).toBe('context_item_superseded');
    expect(await supersede('c:2', 'c:1')).toBe('context_item_superseded');
    expect(await outcomeOf(daemon.client.context.pin({ ticketId, citation: 'c:1' }))).toBe('context_item_superseded');
  });

  test('does not take its own place by way of a copy in another phase', async () => {
    const ticketId = await open();
    await note(ticketId, 'Use MySQL.');
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    await note(ticketId, 'Use MySQL.');

    const superseding = daemon.client.context.supersede({ ticketId, citation: 'c:1', by: 'c:2', reason: 'A test.' });

    await expect(superseding).rejects.toMatchObject({
      data: { fields: [{ path: 'by', message: 'It says the same as c:1, which cannot take its own place. Give what holds instead.' }] },
    });
  });

  test('leads to what holds at last, by way of all that came between', async () => {
    const ticketId = await open();
    for (const text of ['Use MySQL.', 'Use PostgreSQL.', 'Use FoundationDB.']) await note(ticketId, text);
    await daemon.client.context.supersede({ ticketId, citation: 'c:1', by: 'c:2', reason: 'It locks rows.' });
    await daemon.client.context.supersede({ ticketId, citation: 'c:2', by: 'c:3', reason: 'The load has grown.' });

    const pinning = daemon.client.context.pin({ ticketId, citation: 'c:1' });

    await expect(pinning).rejects.toThrow('c:1 was superseded, and c:3 holds in its place: It locks rows.');
    await expect(pinning).rejects.toMatchObject({ data: { citation: 'c:1', by: 'c:3' } });
  });

  test('is of one ticket: a citation means nothing in another', async () => {
    const [ticketId, other] = [await open(), await open()];
    await note(ticketId, 'Use MySQL.');
    await note(other, 'Use PostgreSQL.');
    await note(other, 'Use SQLite.');

    expect(await outcomeOf(daemon.client.context.supersede({ ticketId, citation: 'c:1', by: 'c:2', reason: 'A test.' }))).toBe(
      'context_item_not_found',
    );
    expect((await daemon.client.context.list({ ticketId, superseded: true })).items).toEqual([]);
  });
});

describe('a pinned item', () => {
  test('hands its pin to what takes its place', async () => {
    const ticketId = await open();
    await note(ticketId, 'Answers within 50 ms.', { pinned: true });

    const { by } = await daemon.client.context.supersede({
      ticketId,
      citation: 'c:1',
      by: { kind: 'constraint', text: 'Answers within 80 ms.' },
      reason: 'The customer agreed.',
    });

    expect(by).toMatchObject({ citation: 'c:2', pinned: true });
    expect((await daemon.client.context.list({ ticketId, pinned: true, superseded: false })).items).toEqual([by]);
  });

  test('is in the smallest pack, until it is let go', async () => {
    const ticketId = await open();
    await daemon.client.context.note({ ticketId, item: { kind: 'fact', text: 'The tests need the port 5432 for themselves.' } });
    for (let number = 1; number <= 9; number += 1) await note(ticketId, `Decision number ${number} takes its share of the room there is.`);

    expect((await packOf(ticketId, { budgetTokens: 60 })).text).not.toContain('5432');
    expect(await daemon.client.context.pin({ ticketId, citation: 'c:1' })).toMatchObject({ pinned: true });
    expect((await packOf(ticketId, { budgetTokens: 60 })).text).toContain('5432');
    await daemon.client.context.pin({ ticketId, citation: 'c:1', pinned: false });
    expect((await packOf(ticketId, { budgetTokens: 60 })).text).not.toContain('5432');
    expect(await eventsOf(ticketId, 'context.pinned')).toMatchObject([{ citations: ['c:1'], pinned: true }, { pinned: false }]);
  });

  test('that does not fit is an error, not a loss', async () => {
    const ticketId = await open();
    await note(ticketId, 'word '.repeat(200).trim(), { pinned: true });

    expect(await outcomeOf(packOf(ticketId, { budgetTokens: 100 }))).toBe('limit_exceeded');
  });
});

test('items are listed by author, task, pin, source and citation', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  await note(ticketId, 'Said by a person.', { pinned: true });
  const [taskId] = await bench.submit({});
  await bench.agent.complete(await bench.agent.claimOne(), { summary: 'Done.', context: [{ kind: 'fact', text: 'Said by an agent.' }] });
  const textsOf = async (filter: object) => (await daemon.client.context.list({ ticketId, ...filter })).items.map(({ text }) => text);

  expect(await textsOf({ author: bench.agent.name })).toEqual(['Said by an agent.', 'Done.']);
  expect(await textsOf({ taskId })).toEqual(['Said by an agent.', 'Done.']);
  expect(await textsOf({ pinned: true })).toEqual(['Said by a person.']);
  expect(await textsOf({ sources: ['summary'] })).toEqual(['Done.']);
  expect(await textsOf({ superseded: false, kinds: ['decision'] })).toEqual(['Said by a person.']);
  expect(await textsOf({ citations: ['c:3', 'c:1', 'c:77'] })).toEqual(['Said by a person.', 'Done.']);
});

test('the whole ticket is what its phases have come to, in the order of the workflow', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  await bench.submit({});
  await bench.agent.complete(await bench.agent.claimOne(), { summary: 'Agreed.', context: [{ kind: 'risk', text: 'Scope creep' }] });
  await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
  await note(ticketId, 'Use flags.');

  const whole = await daemon.client.context.aggregate({ ticketId });

  expect(whole).toMatchObject({ tasksCompleted: 1, summaries: ['Agreed.'], stored: false, visit: 3 });
  expect(whole.phase).toBeUndefined();
  expect(whole.items.map(({ phase, text }) => [phase, text])).toEqual([
    ['REQUIREMENTS', 'Scope creep'],
    ['DESIGN', 'Use flags.'],
  ]);
  expect(whole.narrative?.text).toMatch(/^## REQUIREMENTS\n[^]*c:1[^]*## DESIGN\n/);
  expect(whole.narrative?.text).toContain('fact: Agreed. [c:2]');
});

test('what two phases have said stands in the whole ticket once, where it was said last', async () => {
  const ticketId = await open();
  await note(ticketId, 'Use flags.', { rationale: 'They are cheap.' });
  await note(ticketId, 'It is blue.');
  await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
  await note(ticketId, 'Use flags.');

  const { items, omitted } = await daemon.client.context.aggregate({ ticketId });

  expect(items).toMatchObject([
    { phase: 'REQUIREMENTS', text: 'It is blue.' },
    { phase: 'DESIGN', text: 'Use flags.', rationale: 'They are cheap.' },
  ]);
  expect(omitted.items).toBe(0);
});

test('what a phase has come to has a limit, within which what must not be forgotten and the newest stand, and counts the rest', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  for (const [kind, text] of [
    ['fact', 'It is blue.'],
    ['constraint', 'Keep the index.'],
    ['fact', 'It is pinned.'],
    ['fact', 'It is round.'],
    ['fact', 'It is heavy.'],
  ] as const)
    await note(ticketId, text, { kind, pinned: text === 'It is pinned.' });
  await bench.submit({}, {});
  for (const name of ['a', 'b'])
    await bench.agent.complete(await bench.agent.claimOne(), {
      summary: `Made ${name}.`,
      artifacts: [{ type: 'drawing', name, content: {} }],
    });

  const phase = await daemon.client.context.aggregate({ ticketId, phase: 'REQUIREMENTS', limit: 3 });
  const smallest = await daemon.client.context.aggregate({ ticketId, limit: 1 });

  expect(phase.items.map(({ text }) => text)).toEqual(['Keep the index.', 'It is pinned.', 'It is heavy.']);
  expect(phase).toMatchObject({ tasksCompleted: 2, summaries: ['Made a.', 'Made b.'], omitted: { items: 2, summaries: 0, artifacts: 0 } });
  expect(smallest.items.map(({ text }) => text)).toEqual(['It is pinned.']);
  expect(smallest).toMatchObject({
    summaries: ['Made b.'],
    artifacts: [{ type: 'drawing', name: 'b', version: 1 }],
    omitted: { items: 4, summaries: 1, artifacts: 1 },
  });
});

test('a phase that nobody has been in has come to nothing', async () => {
  const told = await daemon.client.context.aggregate({ ticketId: await open(), phase: 'TESTING' });

  expect(told).toEqual({
    phase: 'TESTING',
    visit: 0,
    tasksCompleted: 0,
    summaries: [],
    items: [],
    artifacts: [],
    stored: false,
    omitted: { items: 0, summaries: 0, artifacts: 0 },
  });
});

test('a reference to lines of a file has the first and the last of them', async () => {
  const ticketId = await open();
  const lines = { kind: 'file', value: 'src/a.ts', line: 3, lineEnd: 9 };

  await note(ticketId, 'It is here.', { references: [lines] });
  const { references } = await note(ticketId, 'It is here.', { references: [{ ...lines, lineEnd: 12 }] });

  expect(references).toEqual([lines, { ...lines, lineEnd: 12 }]);
  expect((await runBatonAt(daemon, 'context', ticketId)).stdout).toContain('src/a.ts:3-9, src/a.ts:3-12');
  for (const { line, ...rest } of [
    { ...lines, line: undefined },
    { ...lines, line: 10 },
  ])
    await expect(note(ticketId, 'So.', { references: [{ ...rest, ...(line !== undefined && { line }) }] })).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path: 'item.references[0].lineEnd', message: expect.stringContaining('Give the first line as well') }] },
    });
});

test('an item is expanded with the artifacts, tasks, events and items that it refers to', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  const [taskId] = await bench.submit({ title: 'Measure it' });
  await bench.agent.complete(await bench.agent.claimOne(), { artifacts: [{ type: 'measurement', content: { ms: 12 } }] });
  const { artifacts } = await daemon.client.artifact.list({ ticketId });
  const { events } = await daemon.client.event.list({ ticketId, limit: 1 });
  const item = await note(ticketId, 'It is fast enough.', {
    references: [
      { kind: 'artifact', value: artifacts[0]!.sha256 },
      { kind: 'task', value: taskId },
      { kind: 'event', value: String(events[0]!.seq) },
      { kind: 'item', value: 'c:1' },
      { kind: 'file', value: 'src/a.ts', line: 3 },
      { kind: 'artifact', value: 'f'.repeat(64) },
      { kind: 'task', value: 'no id' },
    ],
  });

  const expanded = await daemon.client.context.expand({ ticketId, citation: item.citation });

  expect(expanded.item).toEqual(item);
  expect(expanded.artifacts).toEqual(artifacts);
  expect(expanded.tasks).toMatchObject([{ id: taskId, title: 'Measure it', state: 'completed' }]);
  expect(expanded.events).toMatchObject([{ seq: events[0]!.seq, name: 'ticket.created' }]);
  expect(expanded.items).toMatchObject([{ citation: 'c:1', source: 'artifact' }]);
  expect(expanded.unresolved.map(({ value }) => value)).toEqual(['src/a.ts', 'f'.repeat(64), 'no id']);
});
