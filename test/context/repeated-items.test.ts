import type { NewContextItemInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn, outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const open = async () => (await createTicketIn(daemon.client, 'REQUIREMENTS')).id;
const postgres: NewContextItemInput = { kind: 'decision', text: 'Use PostgreSQL.' };
const note = (ticketId: string, more: object = {}) => daemon.client.context.note({ ticketId, item: { ...postgres, ...more } });
const itemsOf = async (ticketId: string) => (await daemon.client.context.list({ ticketId, limit: 1_000 })).items;
const goOn = (ticketId: string) => daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
const file = (value: string) => ({ kind: 'file' as const, value });

describe('said again', () => {
  test('an item keeps its pin and all reasons and references', async () => {
    const ticketId = await open();
    await note(ticketId, { pinned: true, rationale: 'It locks rows.', references: [file('a.ts')], data: { rows: 1 } });

    const again = await note(ticketId, { rationale: 'We know it.', references: [file('b.ts')] });

    expect(again).toMatchObject({
      citation: 'c:1',
      pinned: true,
      rationale: 'It locks rows.\nWe know it.',
      references: [file('a.ts'), file('b.ts')],
      data: { rows: 1 },
    });
    expect(await itemsOf(ticketId)).toEqual([again]);
  });

  test('it gains the pin, and a reader who knew it is told so', async () => {
    const ticketId = await open();
    await note(ticketId);
    await goOn(ticketId);
    const { asOf } = await daemon.client.context.get({ ticketId, forPhase: 'TESTING' });

    await note(ticketId, { pinned: true, rationale: 'We know it.' });

    const { text } = await daemon.client.context.get({ ticketId, forPhase: 'TESTING', since: asOf });
    expect(text).toContain('Use PostgreSQL. (We know it.) [c:2, DESIGN]');
  });

  test('with nothing new it is told to nobody', async () => {
    const ticketId = await open();
    await note(ticketId, { rationale: 'We know it.' });
    await note(ticketId, { rationale: 'We know it.' });

    const { events } = await daemon.client.event.list({ ticketId, limit: 1_000 });

    expect(events.filter(({ name }) => name === 'context.noted')).toHaveLength(1);
  });

  test('in a later phase it stands there, with the pin and the reasons of before', async () => {
    const ticketId = await open();
    await note(ticketId, { pinned: true, rationale: 'It locks rows.' });
    await goOn(ticketId);
    await note(ticketId);

    const { text } = await daemon.client.context.get({ ticketId, forPhase: 'TESTING', budgetTokens: 50 });

    expect(text).toBe('## Decisions\n- Use PostgreSQL. (It locks rows.) [c:2, DESIGN]\n');
  });

  test('by another task it is the word of that one, and refers to the first', async () => {
    const bench = await setUpBench(daemon);
    const [first] = await bench.submit({});
    await bench.agent.complete(await bench.agent.claimOne(), { context: [postgres] });
    const [second] = await bench.submit({});
    await bench.agent.complete(await bench.agent.claimOne(), { context: [postgres, { ...postgres, rationale: 'We know it.' }] });

    expect(await itemsOf(bench.ticket.id)).toMatchObject([
      { ...postgres, taskId: second, rationale: 'We know it.', references: [{ kind: 'task', value: first }] },
    ]);
  });

  test('what a task reports of itself does not swallow what is said', async () => {
    const bench = await setUpBench(daemon);
    await bench.submit({});
    await bench.agent.complete(await bench.agent.claimOne(), { summary: 'The queue is read in order.' });
    await daemon.client.context.note({
      ticketId: bench.ticket.id,
      item: { kind: 'fact', text: 'The queue is read in order.', pinned: true },
    });

    const { items } = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });

    expect(items).toMatchObject([{ source: 'said', pinned: true, text: 'The queue is read in order.' }]);
  });
});

describe('at once', () => {
  test('notes of ten agents are all kept, and what several say has the reasons of all', async () => {
    const ticketId = await open();
    const agents = await Promise.all(Array.from({ length: 10 }, () => daemon.connectAgent({ capabilities: [] })));

    await Promise.all(
      agents.flatMap(({ client }, index) => [
        client.context.note({ ticketId, item: { ...postgres, rationale: `Reason ${index}.`, pinned: index === 3 } }),
        client.context.note({ ticketId, item: { kind: 'fact', text: `Fact ${index}.` } }),
      ]),
    );

    const items = await itemsOf(ticketId);
    const decision = items.find(({ kind }) => kind === 'decision');
    expect(items).toHaveLength(11);
    expect(new Set(items.map(({ citation }) => citation)).size).toBe(11);
    expect(decision!.pinned).toBe(true);
    expect(decision!.rationale!.split('\n').toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => `Reason ${index}.`));
  });

  test('of several that supersede one item exactly one does', async () => {
    const ticketId = await open();
    await note(ticketId, { pinned: true });

    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        outcomeOf(
          daemon.client.context.supersede({ ticketId, citation: 'c:1', by: { kind: 'decision', text: `Use ${index}.` }, reason: 'So.' }),
        ),
      ),
    );

    expect(outcomes.toSorted()).toEqual(['accepted', ...Array.from({ length: 5 }, () => 'context_item_superseded')]);
    const items = await itemsOf(ticketId);
    expect(items).toMatchObject([{ superseded: { by: 'c:2' } }, { citation: 'c:2', pinned: true }]);
  });
});
