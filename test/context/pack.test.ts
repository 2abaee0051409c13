import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTokenCounter } from '../../coordinator/src/context/token-counter.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { runBatonAt } from '../support/command.ts';
import { createTicketIn, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const open = async (phase = 'REQUIREMENTS') => (await createTicketIn(daemon.client, phase)).id;
const note = (ticketId: string, text: string, more: object = {}) =>
  daemon.client.context.note({ ticketId, item: { kind: 'fact', text, ...more } });
const packOf = (ticketId: string, more: object = {}) => daemon.client.context.get({ ticketId, forPhase: 'DESIGN', ...more });
const goOn = (ticketId: string, to: string) => daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'The test goes on.' });

describe('a pack', () => {
  test('is the same in all its bytes for the same state, whatever happens elsewhere', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');
    const before = await packOf(ticketId, { query: 'blue' });

    await note(await open(), 'It is red.');

    expect(await packOf(ticketId, { query: 'blue' })).toEqual(before);
  });

  test('has another digest and a later event when something came', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');
    const before = await packOf(ticketId);
    await note(ticketId, 'It is round.');
    const after = await packOf(ticketId);

    expect(after.digest).not.toBe(before.digest);
    expect(after.asOf).toBeGreaterThan(before.asOf);
    const { events } = await daemon.client.event.list({ ticketId, limit: 1_000 });
    expect(after.asOf).toBe(events.at(-1)!.seq);
  });

  test('holds what answers the query, and what the answer leans on, before what is newer', async () => {
    const ticketId = await open();
    await note(ticketId, 'A session ends fifteen seconds after its last beat.', { references: [{ kind: 'item', value: 'c:2' }] });
    await note(ticketId, 'Measured on the slow machine.');
    await note(ticketId, 'The parser is old.', { references: [{ kind: 'file', value: 'src/parser.ts' }] });
    for (let number = 1; number <= 30; number += 1) await note(ticketId, `Something else, number ${number}, that is good to know as well.`);
    const citationsOf = async (query: string) =>
      (await packOf(ticketId, { budgetTokens: 120, query })).phases.flatMap(({ items }) => items.map(({ citation }) => citation));

    expect(await citationsOf('how long does a session live without a beat')).toEqual(expect.arrayContaining(['c:1', 'c:2']));
    expect(await citationsOf('mend src/parser.ts')).toContain('c:3');
    expect(await citationsOf('')).not.toContain('c:1');
  });

  test('has the newest version of what a phase said, once, in each of its visits', async () => {
    const ticketId = await open('DESIGN');
    await note(ticketId, 'It is blue.');
    await goOn(ticketId, 'BLOCKED');
    await goOn(ticketId, 'DESIGN');
    await note(ticketId, 'It is blue.');

    expect((await packOf(ticketId, { forPhase: 'IMPLEMENTATION' })).text).toBe('## Facts\n- It is blue. [c:2, DESIGN]\n');
  });
});

test('of a great many items that find no room a thousand are named, those that come next, and the rest is counted', async () => {
  const bench = await setUpBench(daemon);
  const textsFrom = (from: number) => Array.from({ length: 100 }, (_, index) => `Fact ${from + index}`);
  for (let number = 0; number < 12; number += 4) {
    await bench.submit({});
    const lists = Object.fromEntries(
      ['questions', 'risks', 'rejected', 'decisions'].map((name, place) => [name, textsFrom((number + place) * 100)]),
    );
    await bench.agent.complete(await bench.agent.claimOne(), { output: lists });
  }

  const { omitted, omittedBeyond, phases } = await packOf(bench.ticket.id, { budgetTokens: 300 });

  const chosen = phases.flatMap(({ items }) => items).length;
  expect(omitted).toHaveLength(1_000);
  expect(omittedBeyond).toEqual({ items: 200 - chosen, tokens: expect.any(Number) });
  expect((await packOf(bench.ticket.id, { budgetTokens: 400 })).text).toContain(`[${omitted[0]!.citation}, `);
});

test('of a great many lines that have not all of their items a thousand are named, and the rest is counted', async () => {
  const bench = await setUpBench(daemon);
  const rationale = 'It was slow. '.repeat(100);
  for (const round of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
    await bench.submit({});
    const decisions = Array.from({ length: 100 }, (_, index) => ({ text: `Choice ${round}-${index}`, rationale }));
    await bench.agent.complete(await bench.agent.claimOne(), { output: { decisions } });
  }

  const { omitted, cut, cutBeyond } = await packOf(bench.ticket.id, { budgetTokens: 155_000 });

  expect(omitted).toEqual([]);
  expect(cut).toHaveLength(1_000);
  expect(cutBeyond!.items).toBeGreaterThan(50);
  expect(cutBeyond!.tokens / cutBeyond!.items).toBeLessThanOrEqual(cut![0]!.tokens);
});

describe('a pinned item is in every pack:', () => {
  const readPinned = async (ticketId: string, forPhase: string) => {
    const { text, phases } = await packOf(ticketId, { forPhase });
    expect(phases).toContainEqual(
      expect.objectContaining({ phase: 'TESTING', items: expect.arrayContaining([expect.objectContaining({ citation: 'c:1' })]) }),
    );
    return text;
  };
  const setUpReturn = async () => {
    const ticketId = await open('TESTING');
    await note(ticketId, 'Keep the index.', { kind: 'constraint', pinned: true });
    await note(ticketId, 'It is slow.');
    await goOn(ticketId, 'IMPLEMENTATION');
    return ticketId;
  };

  test('after a return, and while the ticket is blocked where it returned to', async () => {
    const ticketId = await setUpReturn();
    const before = await readPinned(ticketId, 'IMPLEMENTATION');
    await goOn(ticketId, 'BLOCKED');

    expect(await packOf(ticketId, { forPhase: 'IMPLEMENTATION' })).toMatchObject({ text: before });
    expect(before).toContain('It is slow.');
  });

  test('for a phase that builds on none of the visits it was noted in', async () => {
    const ticketId = await setUpReturn();

    expect(await readPinned(ticketId, 'DESIGN')).toBe('## Constraints\n- Keep the index. [c:1, TESTING]\n');
  });
});

describe('what the phase itself has noted', () => {
  test('reaches the next task of the phase: in its pack, in its input, and apart from the earlier phases', async () => {
    const bench = await setUpBench(daemon, { phase: 'IMPLEMENTATION' });
    const ticketId = bench.ticket.id;
    await bench.submit({});
    await bench.agent.complete(await bench.agent.claimOne(), {
      context: [
        { kind: 'constraint', text: 'Never lock the table.', pinned: true },
        { kind: 'fact', text: 'It is blue.' },
      ],
    });
    await bench.submit({ input: { known: '{{ context }}' } });

    const claim = await bench.agent.claimOne();
    const pack = await packOf(ticketId, { forPhase: 'IMPLEMENTATION' });

    const text = '## Constraints\n- Never lock the table. [c:1, IMPLEMENTATION]\n\n## Facts\n- It is blue. [c:2, IMPLEMENTATION]\n';
    expect(pack.text).toBe(text);
    expect(claim.input).toEqual({ known: text });
    expect(pack.phases.map(({ phase }) => phase)).not.toContain('IMPLEMENTATION');
    expect(pack.own).toMatchObject({ phase: 'IMPLEMENTATION', stored: false, tasksCompleted: 1 });
    expect(pack.own?.items.map(({ citation }) => citation)).toEqual(['c:1', 'c:2']);
  });

  test('is not there before the ticket is in the phase', async () => {
    expect((await packOf(await open(), { forPhase: 'TESTING' })).own).toBeUndefined();
  });
});

test('the context in a task input is the pack, and what was withdrawn since is not in it', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  await note(ticketId, 'It is blue.');
  await daemon.client.context.supersede({ ticketId, citation: 'c:1', by: { kind: 'fact', text: 'It is red.' }, reason: 'It was painted.' });
  await goOn(ticketId, 'DESIGN');
  await bench.submit({ input: { known: '{{ context }}' } });

  expect((await bench.agent.claimOne()).input).toEqual({ known: '## Facts\n- It is red. [c:2, REQUIREMENTS]\n' });
});

test('an agent that has lost its memory is told its team, tasks, locks, gate findings and context', async () => {
  const bench = await setUpBench(daemon);
  const ticketId = bench.ticket.id;
  await note(ticketId, 'It is blue.');
  await goOn(ticketId, 'DESIGN');
  await bench.submit({ ref: 'draw', title: 'Draw it', input: { known: '{{ context }}' }, locks: [{ key: `file:${bench.type}` }] });
  const claim = await bench.agent.claimOne();
  await note(ticketId, 'It has two doors.');
  await daemon.client.gate.validate({ ticketId });

  const told = await bench.agent.client.context.rehydrate({ budgetTokens: 1_000 });

  expect(told.agent.name).toBe(bench.agent.name);
  expect(told.team.map(({ name }) => name)).toContain(bench.agent.name);
  // As it is now: what others have noted meanwhile is known to whoever begins again.
  const known = '## Facts\n- It is blue. [c:1, REQUIREMENTS]\n- It has two doors. [c:2, DESIGN]\n';
  expect(told.tasks).toEqual([{ ...claim, input: { known } }]);
  expect(told.locks).toEqual(claim.locks.map((lock) => ({ ...lock, taskId: claim.taskId, attempt: 1 })));
  expect(told.tickets).toMatchObject([
    { ticketId, phase: 'DESIGN', gate: { outcome: 'failed' }, pack: { forPhase: 'DESIGN', budgetTokens: 1_000 } },
  ]);
  expect(told.tickets[0]!.pack!.text).toContain('It is blue. [c:1, REQUIREMENTS]');
  expect(told.tickets[0]!.pack!.text).toContain('It has two doors. [c:2, DESIGN]');
});

test('an agent that has lost its memory is told the rest where what is pinned in one ticket does not fit', async () => {
  const [bench, other] = [await setUpBench(daemon), await setUpBench(daemon)];
  await note(bench.ticket.id, 'word '.repeat(200).trim(), { pinned: true });
  await bench.submit({});
  const { tasks } = await daemon.client.task.submit({ ticketId: other.ticket.id, tasks: [{ type: bench.type }] });
  await bench.agent.claim({ max: 2 });

  const told = await bench.agent.client.context.rehydrate({ budgetTokens: 100 });

  const [failed, packed] = [bench, other].map(({ ticket }) => told.tickets.find(({ ticketId }) => ticketId === ticket.id)!);
  expect(failed).toMatchObject({
    failed: {
      kind: 'limit_exceeded',
      message: expect.stringMatching(/The pinned items need \d+ tokens, and the budget is 100; ask for a larger/),
    },
  });
  expect(failed!.pack).toBeUndefined();
  expect(packed).toMatchObject({ pack: { forPhase: 'REQUIREMENTS', text: '' } });
  expect(told.tasks.map(({ taskId }) => taskId)).toContain(tasks[0]!.id);

  const enough = await bench.agent.client.context.rehydrate({ budgetTokens: failed!.failed!.neededTokens! });
  expect(enough.tickets.every(({ pack }) => pack !== undefined)).toBe(true);
});

test('an agent that has lost its memory is told the packs of ten tickets, and which others its tasks are of', async () => {
  const bench = await setUpBench(daemon, { capacity: 20 });
  const ticketIds: string[] = [];
  while (ticketIds.length < 12) {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await daemon.client.task.submit({ ticketId, tasks: [{ type: bench.type }] });
    ticketIds.push(ticketId);
  }
  await bench.agent.claim({ max: 12 });

  const { tickets, otherTickets = [] } = await bench.agent.client.context.rehydrate();

  expect([tickets.length, otherTickets.length]).toEqual([10, 2]);
  expect(
    tickets
      .map(({ ticketId }) => ticketId)
      .concat(otherTickets)
      .toSorted(),
  ).toEqual(ticketIds.toSorted());
});

test('an agent without work is told that it has none', async () => {
  const agent = await daemon.connectAgent();

  expect(await agent.client.context.rehydrate()).toMatchObject({ agent: { name: agent.name }, tasks: [], locks: [], tickets: [] });
});

test('fifty notes at once over two coordinators are all kept, with numbers of their own', async () => {
  await using one = await startDaemon({ store: 'postgresql' });
  await using other = await startDaemon({ databaseUrl: one.databaseUrl! });
  const { id: ticketId } = await one.client.ticket.create({ title: 'Much is said' });
  // The token of one is none of the other's: both know those of the database.
  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? one : other).client.context.note({ ticketId, item: { kind: 'fact', text: `Fact ${index}.` } }),
    ),
  );

  const { items } = await one.client.context.list({ ticketId });

  expect(items.map(({ citation }) => citation)).toEqual(Array.from({ length: 50 }, (_, index) => `c:${index + 1}`));
  expect(new Set(items.map(({ text }) => text)).size).toBe(50);
});

test('a counter of one provider is named in the pack', async () => {
  await using daemon = await startDaemon({ config: { tokenCounter: 'gpt-tokenizer' } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Counted' });
  await daemon.client.context.note({ ticketId, item: { kind: 'fact', text: 'It is blue. <|endoftext|>' } });

  const pack = await daemon.client.context.get({ ticketId, forPhase: 'REQUIREMENTS' });

  expect(pack.counter).toBe('gpt-tokenizer');
  expect(pack.text).toContain('<|endoftext|>');
});

test('what is said of a phase in short is within its budget by the counter that packs count with', async () => {
  await using daemon = await startDaemon({ config: { tokenCounter: 'gpt-tokenizer' } });
  const ticketId = (await createTicketIn(daemon.client, 'REQUIREMENTS')).id;
  // Some twenty tokens a word for a model, one for an estimate.
  for (let number = 1; number <= 30; number += 1)
    await daemon.client.context.note({ ticketId, item: { kind: 'fact', text: `ꯃꯤꯇꯩ ꯂꯣꯟ ꯃꯤꯇꯩ ${number}` } });

  const { narrative } = await daemon.client.context.aggregate({ ticketId, phase: 'REQUIREMENTS' });

  expect(narrative).toMatchObject({
    by: 'extractive',
    fallbackBecause: expect.stringMatching(/^The summary has \d+ tokens, of 800 allowed\.$/),
  });
  expect(narrative!.text).not.toBe('');
  expect((await openTokenCounter('gpt-tokenizer')).count(narrative!.text)).toBeLessThanOrEqual(800);
});

describe('baton context', () => {
  const baton = (...args: readonly string[]) => runBatonAt(daemon, ...args);

  test('prints the pack, its sources, and what is left out', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.', { references: [{ kind: 'file', value: 'src/a.ts', line: 3 }] });
    await note(ticketId, 'word '.repeat(300).trim());

    const { code, stdout } = await baton('context', ticketId, '--phase', 'DESIGN', '--budget', '100');

    expect(code).toBe(0);
    expect(stdout).toContain('## Facts\n- It is blue. [c:1, REQUIREMENTS]\n');
    expect(stdout).toMatch(/^c:1 +REQUIREMENTS +admin +src\/a\.ts:3$/m);
    expect(stdout).toMatch(
      /of 100 tokens \(tokenx\); 1 item is left out, which would take \d+ more\. As of event \d+, digest [0-9a-f]{12}\.\n$/,
    );
  });

  test('answers JSON, and refuses what is no event and no item', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');

    const { stdout } = await baton('context', ticketId, '--phase', 'DESIGN', '--json', '--since', '1');
    const wrong = await baton('context', ticketId, '--since', 'yesterday');

    expect(JSON.parse(stdout)).toMatchObject({ forPhase: 'DESIGN', text: '## Facts\n- It is blue. [c:1, REQUIREMENTS]\n' });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('and not yesterday') });
  });
});

test('pinned items that another counter finds too long for an input keep no task from running: it is given all of them', async () => {
  await using daemon = await startDaemon({ config: { tokenCounter: 'gpt-tokenizer' } });
  const { ticket, agent, submit } = await setUpBench(daemon);
  const runes = 'ᚠᚢᚦᚨᚱᚲ'.repeat(300);
  await daemon.client.context.note({ ticketId: ticket.id, item: { kind: 'fact', text: runes, pinned: true } });
  await submit({ input: { know: '{{ context }}' } });

  const { input } = await agent.claimOne();

  expect(JSON.stringify(input)).toContain(runes);
});
