import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { fetchFigures } from '../support/figures.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const baton = (...args: readonly string[]) => runBatonAt(daemon, 'context', ...args);

/** A ticket in DESIGN, with what a task has left in REQUIREMENTS. */
async function setUpTicket() {
  const bench = await setUpBench(daemon);
  const [taskId] = await bench.submit({ title: 'Measure it' });
  await bench.agent.complete(await bench.agent.claimOne(), {
    summary: 'Measured.',
    context: [{ kind: 'number', text: 'It takes 12 ms.' }],
    artifacts: [{ type: 'measurement', name: 'ms', content: { ms: 12 } }],
  });
  const { ticket, agent } = bench;
  await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'DESIGN', force: true, reason: 'The test goes on.' });
  return { ticketId: ticket.id, author: agent.name, task: taskId!.slice(0, 13) };
}

test('every line of the pack has its source: what was said, the summary, the artifact, and what this phase has noted', async () => {
  const { ticketId, author, task } = await setUpTicket();
  await daemon.client.context.note({ ticketId, item: { kind: 'question', text: 'Is it enough?' } });

  const { stdout } = await baton(ticketId);

  const [text, table] = stdout.split(/^(?=SOURCE)/m);
  expect(new Set(Array.from(text!.matchAll(/\[(c:\d+), \w+\]$/gm), ([, citation]) => citation))).toEqual(
    new Set(['c:1', 'c:2', 'c:3', 'c:4']),
  );
  expect(
    table!
      .split('\n')
      .slice(0, 5)
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['SOURCE', 'PHASE', 'AUTHOR', 'TASK', 'REFERS TO'],
    ['c:1', 'REQUIREMENTS', author, task],
    ['c:2', 'REQUIREMENTS', author, task],
    ['c:3', 'REQUIREMENTS', author, task, expect.stringMatching(/^artifact [0-9a-f]{12}$/)],
    ['c:4', 'DESIGN', 'admin'],
  ]);
});

test('what no longer holds has its source as well, with what took its place', async () => {
  const { ticketId } = await setUpTicket();
  const { asOf } = await daemon.client.context.get({ ticketId });
  await daemon.client.context.supersede({ ticketId, citation: 'c:1', by: { kind: 'number', text: 'It takes 9 ms.' }, reason: 'Faster.' });

  const { stdout } = await baton(ticketId, '--since', String(asOf));

  expect(stdout).toContain('- [c:1] no longer holds: see [c:4]');
  expect(stdout).toMatch(/^c:1 +REQUIREMENTS/m);
  expect(stdout).toMatch(/^c:4 +/m);
});

test('its sources are asked for by name, however many items the ticket has', async () => {
  const bench = await setUpBench(daemon);
  const facts = (from: number) => Array.from({ length: 100 }, (_, index) => `Fact ${from + index} is good to know.`);
  for (let number = 0; number < 3; number += 1) {
    await bench.submit({});
    const lists = ['questions', 'risks', 'decisions', 'facts'].map((name, place) => [name, facts((number * 4 + place) * 100)]);
    await bench.agent.complete(await bench.agent.claimOne(), { summary: `Did ${number}.`, output: Object.fromEntries(lists) });
  }
  const countLists = async () => (await fetchFigures(daemon)).get('baton_calls_total{method="context/list",outcome="ok"}') ?? 0;
  const before = await countLists();

  const { stdout } = await baton(bench.ticket.id, '--query', 'Did 2.', '--budget', '300');

  expect(stdout).toMatch(/^c:1203 +/m);
  expect((await countLists()) - before).toBe(1);
});

test('an item that has not all of its reasons on its line is named', async () => {
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Choose a store' });
  const note = (text: string, rationale: string) => daemon.client.context.note({ ticketId, item: { kind: 'rejected', text, rationale } });
  await note('SQLite', `${'It was slow in the trial. '.repeat(16)}The default pool size is 32.`);
  await note('MySQL', 'It was slower. '.repeat(250));

  const smallest = await baton(ticketId, '--budget', '220');
  const small = await baton(ticketId, '--budget', '400');
  const large = await baton(ticketId);

  expect(smallest.stdout).toContain('nothing is left out. Not all is told of c:2, c:1; ');
  expect(small.stdout).toContain('nothing is left out. Not all is told of c:2; `context/expand` tells it. As of event');
  expect(small.stdout).toContain('The default pool size is 32.');
  expect(large.stdout).toContain('nothing is left out. As of event');
});

test('of what is not there it says the name, and which there are', async () => {
  const { ticketId } = await setUpTicket();

  expect((await baton(ticketId, '--phase', 'DESIN')).stderr).toContain('DESIN is none of BACKLOG, REQUIREMENTS, DESIGN,');
  expect((await baton(ticketId, '--since', 'c:77')).stderr).toContain('There is no c:77.');
});

test('with nothing new it says so', async () => {
  const { ticketId } = await setUpTicket();
  const { asOf } = await daemon.client.context.get({ ticketId });

  const { stdout } = await baton(ticketId, '--since', String(asOf));

  expect(stdout).toMatch(new RegExp(`^Nothing is new for DESIGN since ${asOf}\\.\n\n0 of 4000 tokens`));
});

test('what agents wrote commands no terminal', async () => {
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Clear \u001B[2J\u009B1;1H it' });
  await daemon.client.context.note({ ticketId, item: { kind: 'fact', text: 'It is \u001B[8mblue.\rred' } });

  const [tickets, pack] = [await runBatonAt(daemon, 'tickets'), await baton(ticketId)];

  expect(tickets.stdout).toContain('Clear \\u001b[2J\\u009b1;1H it');
  expect(pack.stdout).toContain('- It is \uFFFD[8mblue. red [c:1, BACKLOG]');
});
