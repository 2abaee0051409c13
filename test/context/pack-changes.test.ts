import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { openFixtureAgent } from '../support/fixture-agent.ts';
import { createTicketIn, outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const open = async (phase = 'REQUIREMENTS') => (await createTicketIn(daemon.client, phase)).id;
const note = (ticketId: string, text: string, more: object = {}) =>
  daemon.client.context.note({ ticketId, item: { kind: 'fact', text, ...more } });
const supersede = (ticketId: string, citation: string, by: string | { kind: 'fact'; text: string }) =>
  daemon.client.context.supersede({ ticketId, citation, by, reason: 'It was painted.' });
const packOf = (ticketId: string, more: object = {}) => daemon.client.context.get({ ticketId, forPhase: 'DESIGN', ...more });
const goOn = (ticketId: string, to: string) => daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'The test goes on.' });

describe('since an event or an item', () => {
  test('there is what came, was pinned and no longer holds, what the phase itself noted included', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');
    await note(ticketId, 'It is round.');
    await note(ticketId, 'It is heavy.');
    await goOn(ticketId, 'DESIGN');
    const { asOf } = await packOf(ticketId);

    await daemon.client.context.supersede({
      ticketId,
      citation: 'c:1',
      by: { kind: 'fact', text: 'It is red.' },
      reason: 'It was painted.',
    });
    await daemon.client.context.pin({ ticketId, citation: 'c:2' });
    await note(ticketId, 'It is new.');

    const text = `## No longer holds
- [c:1] no longer holds: see [c:4]

## Facts
- It is round. [c:2, REQUIREMENTS]
- It is red. [c:4, DESIGN]
- It is new. [c:5, DESIGN]
`;
    expect((await packOf(ticketId, { since: asOf })).text).toBe(text);
    expect((await packOf(ticketId, { since: 'c:3' })).text).toBe(text);
    const { asOf: now } = await packOf(ticketId);
    expect((await packOf(ticketId, { since: now })).text).toBe('');
  });

  test('there is every newer item, also of one of many that were recorded together', async () => {
    const bench = await setUpBench(daemon);
    const { id: ticketId } = bench.ticket;
    await bench.submit({}, {}, {}, {}, {});
    const claims = await bench.agent.claim({ max: 5 });

    await Promise.all(
      claims.map((claim, index) =>
        bench.agent.complete(claim, { summary: `Did ${index}.`, context: [{ kind: 'constraint', text: `Never do ${index}.` }] }),
      ),
    );

    const { items } = await daemon.client.context.list({ ticketId });
    expect(items).toHaveLength(10);
    for (const [index, { citation }] of items.entries()) {
      const { text } = await daemon.client.context.get({ ticketId, since: citation });
      expect(items.slice(index + 1).filter((item) => !text.includes(`${item.text} [${item.citation}, `))).toEqual([]);
      expect(text).not.toContain(` [${citation}, `);
    }
  });

  test('an item that is not there is an error', async () => {
    expect(await outcomeOf(packOf(await open(), { since: 'c:9' }))).toBe('context_item_not_found');
  });

  test('an event that has not happened yet is refused, and the newest of another ticket is not', async () => {
    const ticketId = await open();
    await note(await open(), 'It is blue.');
    const { lastSeq } = await daemon.client.event.list({});

    expect(await packOf(ticketId, { since: lastSeq })).toMatchObject({ text: '' });
    await expect(packOf(ticketId, { since: lastSeq + 1 })).rejects.toMatchObject({
      kind: 'invalid_params',
      data: {
        fields: [
          {
            path: 'since',
            message: expect.stringContaining(`There is no event ${lastSeq + 1} yet: the newest of the project is ${lastSeq}.`),
          },
        ],
      },
    });
  });

  test('what was pinned and then withdrawn is told as withdrawn', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');
    const { asOf } = await packOf(ticketId);
    await daemon.client.context.pin({ ticketId, citation: 'c:1' });

    await supersede(ticketId, 'c:1', { kind: 'fact', text: 'It is red.' });

    expect((await packOf(ticketId, { since: asOf })).text).toContain('- [c:1] no longer holds: see [c:2]\n');
  });

  test('what was said again and then withdrawn is told as withdrawn; what came and went meanwhile is not', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');
    const { asOf } = await packOf(ticketId);
    await note(ticketId, 'It is blue.', { rationale: 'We saw it.' });
    await note(ticketId, 'It is green.');

    await supersede(ticketId, 'c:1', { kind: 'fact', text: 'It is red.' });
    await supersede(ticketId, 'c:2', 'c:3');

    expect((await packOf(ticketId, { since: asOf })).text).toMatch(/^## No longer holds\n- \[c:1\] no longer holds: see \[c:3\]\n\n/);
  });

  test('what took the place of something and was withdrawn too leads to what holds', async () => {
    const ticketId = await open();
    await note(ticketId, 'It is blue.');
    const { asOf } = await packOf(ticketId);

    await supersede(ticketId, 'c:1', { kind: 'fact', text: 'It is red.' });
    await supersede(ticketId, 'c:2', { kind: 'fact', text: 'It is green.' });
    await supersede(ticketId, 'c:3', { kind: 'fact', text: 'It is white.' });

    expect((await packOf(ticketId, { since: asOf })).text).toBe(
      '## No longer holds\n- [c:1] no longer holds: see [c:4]\n\n## Facts\n- It is white. [c:4, REQUIREMENTS]\n',
    );
  });

  test('there is what a regression has brought into view, and nothing that was in view before', async () => {
    const ticketId = await open('IMPLEMENTATION');
    await note(ticketId, 'It is blue.');
    await goOn(ticketId, 'TESTING');
    await note(ticketId, 'It breaks.');
    const packFor = (more: object = {}) => daemon.client.context.get({ ticketId, forPhase: 'IMPLEMENTATION', ...more });
    const { asOf, text } = await packFor();
    expect(text).not.toContain('It breaks.');

    await goOn(ticketId, 'IMPLEMENTATION');

    const since = await packFor({ since: asOf });
    expect(since.text).toBe('## Facts\n- It breaks. [c:2, TESTING]\n');
    expect((await packFor({ since: since.asOf })).text).toBe('');
  });

  test('a task is told what others have noted while it runs', async () => {
    await using _agent = await openFixtureAgent(daemon);
    const ticketId = await open('TESTING');
    await note(ticketId, 'It is blue.');

    const { tasks } = await daemon.client.task.submit({ ticketId, tasks: [{ type: 'follow', input: { says: 'It is round.' } }] });

    const taskId = tasks[0]!.id;
    await eventually(async () =>
      expect(await daemon.client.task.get({ taskId })).toMatchObject({
        state: 'completed',
        output: { before: '## Facts\n- It is blue. [c:1, TESTING]\n', since: '## Facts\n- It is round. [c:2, TESTING]\n' },
      }),
    );
  });
});

describe('what is kept from one pack to the next', () => {
  test('is as another coordinator has changed it', async () => {
    await using one = await startDaemon({ store: 'postgresql' });
    await using other = await startDaemon({ databaseUrl: one.databaseUrl! });
    const { id: ticketId } = await one.client.ticket.create({ title: 'Told by two' });
    const textsOf = ({ client }: Daemon) => client.context.get({ ticketId }).then(({ text }) => text);
    await one.client.context.note({ ticketId, item: { kind: 'fact', text: 'It is blue.' } });
    await one.client.context.note({ ticketId, item: { kind: 'fact', text: 'It is round.' } });
    expect(await textsOf(other)).toBe(await textsOf(one));

    await other.client.context.supersede({
      ticketId,
      citation: 'c:1',
      by: { kind: 'fact', text: 'It is red.' },
      reason: 'It was painted.',
    });
    await other.client.context.pin({ ticketId, citation: 'c:2' });
    await other.client.context.note({ ticketId, item: { kind: 'fact', text: 'It is round.', rationale: 'We saw it.' } });

    const text = '## Facts\n- It is round. (We saw it.) [c:2, BACKLOG]\n- It is red. [c:3, BACKLOG]\n';
    expect([await textsOf(one), await textsOf(other)]).toEqual([text, text]);
  });
});
