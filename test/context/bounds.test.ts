import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn, outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const open = async () => (await createTicketIn(daemon.client, 'REQUIREMENTS')).id;
const note = (ticketId: string, item: object) =>
  daemon.client.context.note({ ticketId, item: { kind: 'fact', text: 'It is so.', ...item } });
const itemsOf = async (ticketId: string, filter: object = {}) =>
  (await daemon.client.context.list({ ticketId, limit: 1_000, superseded: false, ...filter })).items;

describe('what an item has for programs', () => {
  /** With its quotes, one character more than an item takes. */
  const long = 'x'.repeat(15_999);
  const tooLong = 'It has 16001 characters as JSON; an item takes 16000. Put what is long into an artifact and refer to its digest.';

  test('is refused where it is too long, with what to do', async () => {
    const ticketId = await open();

    await expect(note(ticketId, { data: long })).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path: 'item.data', message: tooLong }] },
    });
    expect((await note(ticketId, { data: long.slice(1) })).data).toHaveLength(15_998);
  });

  test('is refused in a completion, which may be sent again without it and loses nothing', async () => {
    const bench = await setUpBench(daemon);
    await bench.submit({});
    const claim = await bench.agent.claimOne();
    const context = [{ kind: 'fact' as const, text: 'It is blue.' }];

    await expect(
      bench.agent.complete(claim, { summary: 'Done.', context: [...context, { kind: 'fact', text: 'It is long.', data: long }] }),
    ).rejects.toMatchObject({ kind: 'invalid_params', data: { fields: [{ path: 'context[1].data', message: tooLong }] } });
    await bench.agent.complete(claim, { summary: 'Done.', context });

    expect((await itemsOf(bench.ticket.id)).map(({ text }) => text)).toEqual(['It is blue.', 'Done.']);
  });

  test('has a limit for references, too', async () => {
    const references = Array.from({ length: 20 }, (_, line) => ({ kind: 'file' as const, value: `${line}${'x'.repeat(900)}` }));

    await expect(note(await open(), { references })).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path: 'item.references', message: expect.stringContaining('an item takes 16000') }] },
    });
  });

  test('is in no pack and no aggregate, and told by expand and list', async () => {
    const ticketId = await open();
    await note(ticketId, { data: { colour: 'blue' } });

    const { phases } = await daemon.client.context.get({ ticketId, forPhase: 'DESIGN' });
    const { items } = await daemon.client.context.aggregate({ ticketId });

    const told = [...phases.flatMap((phase) => phase.items), ...items];
    expect(told.map(({ text, data }) => ({ text, data }))).toEqual([
      { text: 'It is so.', data: undefined },
      { text: 'It is so.', data: undefined },
    ]);
    expect((await daemon.client.context.expand({ ticketId, citation: 'c:1' })).item.data).toEqual({ colour: 'blue' });
    expect(await itemsOf(ticketId)).toMatchObject([{ data: { colour: 'blue' } }]);
  });
});

test('a page of long items ends before its limit, and the next goes on there', async () => {
  const bench = await setUpBench(daemon);
  const long = { text: 'x', rationale: 'x'.repeat(4_000), data: 'x'.repeat(15_900) };
  for (let round = 0; round < 3; round += 1) {
    await bench.submit({});
    const context = Array.from({ length: 80 }, (_, number) => ({ ...long, kind: 'fact' as const, text: `Fact ${round}-${number}.` }));
    await bench.agent.complete(await bench.agent.claimOne(), { context });
  }
  const list = (after?: string) =>
    daemon.client.context.list({ ticketId: bench.ticket.id, limit: 1_000, ...(after !== undefined && { after }) });

  const first = await list();
  const second = await list(first.next);

  expect(JSON.stringify(first).length).toBeLessThan(4_200_000);
  expect(first.items.length).toBeGreaterThan(150);
  expect([...first.items, ...second.items].map(({ citation }) => citation)).toEqual(
    Array.from({ length: 240 }, (_, index) => `c:${index + 1}`),
  );
  expect(second.next).toBeUndefined();
});

describe('what is pinned', () => {
  /** About 400 tokens. */
  const long = (number: number) => `Number ${number}: ${'Never do this without asking. '.repeat(65)}`;
  const refused =
    'has no room: the pins of a ticket have 2000 tokens together. Let one go by context/pin with pinned: false, supersede one by something shorter, or leave this one unpinned.';

  test('has a limit, so that packs of the usual size are never refused: who pins too much is told', async () => {
    const ticketId = await open();
    for (const number of [1, 2, 3, 4]) await note(ticketId, { text: long(number), pinned: true });
    await note(ticketId, { text: long(6) });

    await expect(note(ticketId, { text: long(5), pinned: true })).rejects.toMatchObject({
      kind: 'limit_exceeded',
      message: expect.stringContaining(refused),
      data: { field: 'item.pinned', limit: 2_000 },
    });
    await expect(daemon.client.context.pin({ ticketId, citation: 'c:5' })).rejects.toMatchObject({
      kind: 'limit_exceeded',
      message: expect.stringContaining(`The pin of c:5 ${refused}`),
      data: { field: 'citation', limit: 2_000 },
    });

    expect((await itemsOf(ticketId)).map(({ citation, pinned }) => [citation, pinned])).toEqual([
      ['c:1', true],
      ['c:2', true],
      ['c:3', true],
      ['c:4', true],
      ['c:5', false],
    ]);
    expect((await daemon.client.context.get({ ticketId, forPhase: 'DESIGN' })).tokens).toBeLessThan(4_000);
  });

  test('has its limit also where many pin at once', async () => {
    const ticketId = await open();

    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => outcomeOf(note(ticketId, { text: long(index + 1), pinned: true }))),
    );

    expect(outcomes.toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'accepted'),
      ...Array.from({ length: 4 }, () => 'limit_exceeded'),
    ]);
  });

  test('may be said and pinned again, and makes room when it is let go', async () => {
    const ticketId = await open();
    for (const number of [1, 2, 3, 4]) await note(ticketId, { text: long(number), pinned: true });

    expect(await outcomeOf(note(ticketId, { text: long(4), pinned: true }))).toBe('accepted');
    expect(await outcomeOf(daemon.client.context.pin({ ticketId, citation: 'c:4' }))).toBe('accepted');
    await daemon.client.context.pin({ ticketId, citation: 'c:1', pinned: false });
    expect(await outcomeOf(note(ticketId, { text: long(5), pinned: true }))).toBe('accepted');
  });

  test('hands its pin to nothing that is too long for it, and stays', async () => {
    const ticketId = await open();
    for (const number of [1, 2, 3, 4]) await note(ticketId, { text: long(number), pinned: true });
    await note(ticketId, { text: 'Keep the index.', pinned: true });
    const supersede = (citation: string, text: string) =>
      outcomeOf(daemon.client.context.supersede({ ticketId, citation, by: { kind: 'fact', text }, reason: 'A test.' }));

    expect(await supersede('c:5', long(5))).toBe('limit_exceeded');
    expect(await supersede('c:1', long(5))).toBe('accepted');
    expect(await itemsOf(ticketId, { pinned: true })).toHaveLength(5);
  });

  test('is kept unpinned where a completion or a failure brings too much of it, and a record tells of it', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await bench.submit({ title: 'Look at it' }, { title: 'Try it' });
    const claims = await bench.agent.claim({ max: 2 });
    const pinned = (...numbers: readonly number[]) =>
      numbers.map((number) => ({ kind: 'fact' as const, text: long(number), pinned: true }));

    await bench.agent.complete(claims[0]!, { summary: 'Seen.', context: pinned(1, 2, 3, 4, 5, 6) });
    const { taskId, attempt } = claims[1]!;
    await bench.agent.client.task.fail({ taskId, attempt, error: { message: 'No.' }, permanent: true, context: pinned(7) });

    const items = await itemsOf(ticketId, { sources: ['said'] });
    expect(items.map(({ pinned }) => pinned)).toEqual([true, true, true, true, false, false, false]);
    expect((await itemsOf(ticketId, { sources: ['mechanical'] })).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^2 items that ".*" returned are not pinned, .*2000 tokens.*: "Number 5: /),
      expect.stringMatching(/^1 item that ".*" returned is not pinned, .*2000 tokens.*: "Number 7: /),
    ]);
  });

  test('is in a pack without its reasons where all of them together have no room, whatever is added to them', async () => {
    const ticketId = await open();
    const reasons = 'For many a reason. '.repeat(100);
    for (let number = 1; number <= 30; number += 1) await note(ticketId, { text: `Rule ${number}.`, pinned: true });
    for (let number = 1; number <= 30; number += 1) await note(ticketId, { text: `Rule ${number}.`, rationale: reasons });

    const { text, tokens, cut } = await daemon.client.context.get({ ticketId, forPhase: 'DESIGN', budgetTokens: 800 });

    expect(tokens).toBeLessThanOrEqual(800);
    expect(text.match(/Rule \d+\. \(…\) \[c:/g)).toHaveLength(30);
    expect(cut).toHaveLength(30);
  });

  test('keeps its place but not its pin where a newer record is too long for it, and a record tells of it', async () => {
    const { ticket } = await setUpBench(daemon);
    const ticketId = ticket.id;
    const change = (files: readonly string[]) =>
      daemon.client.artifact.put({ ticketId, artifact: { type: 'code_changes', name: 'fix', content: { files: [...files] } } });
    await change(['src/a.ts']);
    await daemon.client.context.pin({ ticketId, citation: 'c:2' });
    for (const number of [1, 2, 3, 4]) await note(ticketId, { text: long(number), pinned: true });

    await change(Array.from({ length: 30 }, (_, index) => `src/${'deep/'.repeat(15)}${index}.ts`));

    const [record] = await itemsOf(ticketId, { sources: ['mechanical'] });
    expect(record!.text).toMatch(/^c:\d+ takes the place of something pinned, and is not pinned itself.*2000 tokens/);
    expect((await itemsOf(ticketId, { sources: ['reported'] })).map(({ pinned }) => pinned)).toEqual([false]);
  });
});

describe('with long reasons and many references', () => {
  const item = {
    pinned: true,
    rationale: 'For many a reason. '.repeat(200),
    references: Array.from({ length: 15 }, (_, index) => ({ kind: 'file' as const, value: `${index}${'x'.repeat(1_000)}`, line: 3 })),
  };
  const setUp = async (count: number) => {
    const ticketId = await open();
    for (let number = 1; number <= count; number += 1) await note(ticketId, { ...item, text: `Rule ${number}.` });
    return ticketId;
  };

  test('an answer has no more of them than its budget is for, and as much of each item as a line shows', async () => {
    const ticketId = await setUp(40);

    const pack = await daemon.client.context.get({ ticketId, forPhase: 'DESIGN', budgetTokens: 5_000 });
    const aggregate = await daemon.client.context.aggregate({ ticketId });

    expect(JSON.stringify(pack).length).toBeLessThan(120_000);
    expect(JSON.stringify(aggregate).length).toBeLessThan(120_000);
    expect(pack.phases.flatMap(({ items }) => items)).toHaveLength(40);
    expect(aggregate.items).toHaveLength(40);
  });

  test('an item has its newest references and the beginning of its reasons, and expand tells all', async () => {
    const ticketId = await setUp(1);

    const [told] = (await daemon.client.context.aggregate({ ticketId })).items;

    expect(told!.references.map(({ value, line }) => [value.length, value.slice(0, 3), line])).toEqual(
      [10, 11, 12, 13, 14].map((index) => [200, `${index}x`, 3]),
    );
    expect(told!.rationale).toHaveLength(400);
    expect((await daemon.client.context.expand({ ticketId, citation: 'c:1' })).item).toMatchObject(item);
  });
});

test('an aggregate of long texts ends before its limit, and counts what it has left out', async () => {
  const bench = await setUpBench(daemon);
  for (let round = 0; round < 3; round += 1) {
    await bench.submit({});
    const context = Array.from({ length: 90 }, (_, number) => ({ kind: 'fact' as const, text: `${round}-${number} ${'x'.repeat(3_900)}` }));
    await bench.agent.complete(await bench.agent.claimOne(), { context });
  }

  const aggregate = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, limit: 1_000 });

  expect(JSON.stringify(aggregate.items).length).toBeLessThan(1_010_000);
  expect(aggregate.items.length).toBeGreaterThan(200);
  expect(aggregate.items.length + aggregate.omitted.items).toBe(270);
  expect(aggregate.items.at(-1)!.citation).toBe('c:270');
});
