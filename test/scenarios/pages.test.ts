import type { Approval, Client, WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { runStatement } from '../support/stores.ts';
import { createTicketIn } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

interface Answer {
  readonly next?: string | undefined;
}

/** All pages of a list, in order. */
async function readPages<T extends Answer>(ask: (after: { after?: string }) => Promise<T>): Promise<T[]> {
  const pages: T[] = [];
  for (let after: string | undefined; pages.length === 0 || after !== undefined; after = pages.at(-1)!.next)
    pages.push(await ask(after === undefined ? {} : { after }));
  return pages;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const megabyte = 1024 * 1024;

describe('the current artifacts of a ticket', () => {
  const store = async (ticketId: string, ...names: string[]) => {
    for (const name of names)
      await daemon.client.artifact.put({ ticketId, artifact: { type: 'page', name, content: { of: crypto.randomUUID() } } });
  };

  test('come in pages, each once and in its newest version', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await store(ticketId, 'a', 'b', 'c', 'd', 'e', 'b');

    const pages = await readPages((after) => daemon.client.artifact.list({ ticketId, current: true, limit: 2, ...after }));

    expect(pages.map(({ artifacts }) => artifacts.map(({ name, version }) => `${name}${version}`))).toEqual([
      ['a1', 'c1'],
      ['d1', 'e1'],
      ['b2'],
    ]);
  });

  test('are those of its visit and of the type that is asked for', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'TESTING');
    await store(ticketId, 'before');
    for (const to of ['IMPLEMENTATION', 'TESTING'])
      await daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'The test wants it.' });
    await store(ticketId, 'since');
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'log', content: {} } });

    const { artifacts } = await daemon.client.artifact.list({ ticketId, current: true, type: 'page' });

    expect(artifacts.map(({ name }) => name)).toEqual(['since']);
  });
});

test('tickets come in pages, newest first, and a large one takes the room of others', async () => {
  const workflow = { name: `paged ${crypto.randomUUID()}` };
  const edges = [{ from: 'MADE', to: 'SENT', kind: 'forward' as const }];
  await daemon.client.workflow.put({ definition: { ...workflow, phases: [{ name: 'MADE' }, { name: 'SENT' }], edges } });
  for (const [title, bytes] of [
    ['a', 0],
    ['b', 600_000],
    ['c', 600_000],
    ['d', 0],
    ['e', 2_000_000],
    ['f', 0],
  ] as const)
    await daemon.client.ticket.create({ title, workflow, metadata: { log: 'x'.repeat(bytes) } });
  const read = (limit: number) => readPages((after) => daemon.client.ticket.list({ workflow: workflow.name, limit, ...after }));

  const [byCount, bySize] = [await read(4), await read(100)];

  const titlesOf = (pages: typeof byCount) => pages.map(({ tickets }) => tickets.map(({ title }) => title).join(''));
  expect(titlesOf(byCount)).toEqual(['f', 'e', 'dc', 'ba']);
  expect(titlesOf(bySize)).toEqual(titlesOf(byCount));
  const open = await readPages((after) => daemon.client.ticket.list({ states: ['open'], ...after }));
  const told = JSON.parse((await runBatonAt(daemon, 'status', '--json')).stdout) as { tickets: object };
  expect(told.tickets).toEqual({ open: open.flatMap(({ tickets }) => tickets).length, blocked: 0 });
});

describe('the history of a ticket', () => {
  const move = async (client: Client, ticketId: string, artifacts = {}) => {
    for (const to of ['IMPLEMENTATION', 'TESTING'])
      await client.ticket.transition({ ticketId, to, force: true, reason: 'The test wants it.', artifacts });
  };
  const numbersOf = (pages: readonly { readonly visits: readonly { readonly number: number }[] }[]) =>
    pages.map(({ visits }) => visits.map(({ number }) => number));

  test('comes in pages, in order', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'TESTING');
    await move(daemon.client, ticketId);

    const pages = await readPages((after) => daemon.client.ticket.history({ ticketId, limit: 3, ...after }));

    expect(numbersOf(pages)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  test('has no page that is larger than a megabyte, unless one visit is', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'TESTING');
    await move(daemon.client, ticketId, { log: 'x'.repeat(600_000) });
    await move(daemon.client, ticketId, { log: 'x'.repeat(1_500_000) });

    const pages = await readPages((after) => daemon.client.ticket.history({ ticketId, ...after }));

    expect(numbersOf(pages)).toEqual([[1, 2, 3, 4, 5, 6], [7], [8], [9]]);
  });

  test('counts the reasons of its visits for that', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'TESTING');
    const reason = '€'.repeat(4_000);
    for (let visit = 0; visit < 100; visit += 1) {
      const to = visit % 2 === 0 ? 'IMPLEMENTATION' : 'TESTING';
      await daemon.client.ticket.transition({ ticketId, to, force: true, reason });
    }

    const { visits, next } = await daemon.client.ticket.history({ ticketId, limit: 1_000 });

    expect(visits.length).toBeLessThan(100);
    expect(next).toBe(String(visits.length));
  });
});

test('workflows come in pages by name, none of them larger than a megabyte, and the command lists them all', async () => {
  await using other = await startDaemon();
  const define = (name: string, text: string): WorkflowDefinitionInput => ({
    name,
    phases: [{ name: 'MADE', tasks: [{ type: 'work', input: { text } }] }, { name: 'SENT' }],
    edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' }],
  });
  for (const name of ['a', 'b', 'c']) await other.client.workflow.put({ definition: define(name, 'x'.repeat(600_000)) });
  await other.client.workflow.put({ definition: define('a', 'Shorter.') });

  const bySize = await readPages((after) => other.client.workflow.list({ ...after }));
  const byCount = await readPages((after) => other.client.workflow.list({ limit: 3, ...after }));
  const listed = await runBatonAt(other, 'workflow', 'list', '--json');

  const namesOf = (pages: typeof bySize) => pages.map(({ workflows }) => workflows.map(({ name, version }) => `${name}${version}`));
  expect(namesOf(bySize)).toEqual([
    ['a2', 'b1'],
    ['c1', 'software-delivery1'],
  ]);
  expect(namesOf(byCount)).toEqual(namesOf(bySize));
  expect((JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'software-delivery']);
});

test('who asks for a workflow that is not there is told twenty that are, and where the others are listed', async () => {
  const definition = { phases: [{ name: 'MADE' }, { name: 'SENT' }], edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' as const }] };
  for (let n = 10; n < 31; n += 1) await daemon.client.workflow.put({ definition: { ...definition, name: `a${n}` } });

  const asked = daemon.client.workflow.get({ name: 'unheard of' });

  await expect(asked).rejects.toMatchObject({
    kind: 'workflow_not_found',
    message: expect.stringMatching(/there are a10, .*, a29 and others, which workflow\/list tells/) as string,
  });
});

test.each([
  ['said', `reasons = '${JSON.stringify([{ code: 'validator_failed', message: 'x'.repeat(600_000) }])}'`],
  ['judged', 'judged = array_fill((select id from artifacts where ticket_id = r.ticket_id), array[3000])'],
])('results of gates come in pages of a megabyte, however much they %s', async (_, change) => {
  const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
  await daemon.client.artifact.put({ ticketId, artifact: { type: 'page', name: 'x'.repeat(60), content: {} } });
  for (let n = 0; n < 4; n += 1) await daemon.client.gate.validate({ ticketId });
  await runStatement(daemon.databaseUrl!, `update gate_results r set ${change} where ticket_id = '${ticketId}'`);

  const pages = await readPages((after) => daemon.client.gate.results({ ticketId, ...after }));

  expect(pages.map(({ results }) => results.length)).toEqual([1, 1, 1, 1]);
  expect(Math.max(...pages.map(bytesOf))).toBeLessThan(megabyte);
  expect(new Set(pages.flatMap(({ results }) => results.map(({ id }) => id))).size).toBe(4);
});

describe('tasks', () => {
  const submit = async (refs: readonly string[]) => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await daemon.client.task.submit({ ticketId, tasks: refs.map((ref) => ({ type: 'paged', ref, title: ref })) });
    return ticketId;
  };
  const read = (ticketId: string, limit: number) => readPages((after) => daemon.client.task.list({ ticketId, limit, ...after }));
  const titlesOf = (pages: Awaited<ReturnType<typeof read>>) => pages.map(({ tasks }) => tasks.map(({ title }) => title).join(''));

  test('come in pages, in the order of submission', async () => {
    const ticketId = await submit(['a', 'b', 'c', 'd', 'e']);

    expect(titlesOf(await read(ticketId, 2))).toEqual(['ab', 'cd', 'e']);
  });

  test('have no page that is larger than a megabyte, unless one task is, and the command lists them all', async () => {
    const ticketId = await submit(['a', 'b', 'c', 'd', 'e']);
    for (const [ref, bytes] of [
      ['b', 600_000],
      ['c', 600_000],
      ['d', 2_000_000],
    ] as const)
      await runStatement(
        daemon.databaseUrl!,
        `update tasks set error = jsonb_build_object('code', 'odd', 'message', 'No.', 'details', repeat('x', ${bytes})) where ticket_id = '${ticketId}' and ref = '${ref}'`,
      );

    const pages = await read(ticketId, 1_000);
    const listed = await runBatonAt(daemon, 'tasks', '--ticket', ticketId, '--json');

    expect(titlesOf(pages)).toEqual(['ab', 'c', 'd', 'e']);
    expect((JSON.parse(listed.stdout) as { title: string }[]).map(({ title }) => title).join('')).toBe('abcde');
  });

  test('count the ids of what they depend on for that', async () => {
    const refs = Array.from({ length: 150 }, (_, index) => `before-${index}`);
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    const after = Array.from({ length: 200 }, (_, index) => ({ type: 'paged', ref: `after-${index}`, dependsOn: refs }));
    await daemon.client.task.submit({ ticketId, tasks: [...refs.map((ref) => ({ type: 'paged', ref })), ...after] });

    const pages = await read(ticketId, 1_000);

    expect(pages.flatMap(({ tasks }) => tasks)).toHaveLength(350);
    expect(pages.length).toBeGreaterThan(1);
    expect(Math.max(...pages.map(bytesOf))).toBeLessThan(1.5 * megabyte);
  });
});

test('approvals come in pages of a megabyte, however much was said with them, and the commands list them all', async () => {
  const name = `approved ${crypto.randomUUID()}`;
  const approvals = ['a', 'b', 'c', 'd'].map((each) => ({ name: each, count: 2, authorsMay: true }));
  const phases = [{ name: 'MADE', gate: { tasksMin: 0, approvals } }, { name: 'SENT' }];
  await daemon.client.workflow.put({ definition: { name, phases, edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' as const }] } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'To be approved', workflow: { name } });
  await daemon.client.gate.validate({ ticketId });
  for (const { id: approvalId } of (await daemon.client.approval.list({ ticketId })).approvals)
    await daemon.client.approval.decide({ approvalId, decision: 'approve', comment: 'Good.' });
  await runStatement(
    daemon.databaseUrl!,
    `update approval_decisions d set comment = repeat('x', 600000) from approvals a where a.id = d.approval_id and a.ticket_id = '${ticketId}' and a.name in ('b', 'c')`,
  );

  const pages = await readPages((after) => daemon.client.approval.list({ ticketId, ...after }));
  const byCount = await readPages((after) => daemon.client.approval.list({ ticketId, limit: 3, ...after }));
  const listed = await runBatonAt(daemon, 'approvals', '--ticket', ticketId, '--json');
  const shown = await runBatonAt(daemon, 'ticket', 'show', ticketId, '--json');

  const namesOf = (all: readonly Pick<Approval, 'rule'>[]) => all.map(({ rule }) => rule.name).join('');
  expect(pages.map(({ approvals }) => namesOf(approvals))).toEqual(['ab', 'cd']);
  expect(byCount.map(({ approvals }) => namesOf(approvals))).toEqual(['ab', 'cd']);
  expect(namesOf(JSON.parse(listed.stdout) as Approval[])).toBe('abcd');
  expect(namesOf((JSON.parse(shown.stdout) as { approvals: Approval[] }).approvals)).toBe('abcd');
});
