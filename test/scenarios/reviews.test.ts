import type { Client } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
let people: { readonly author: Client; readonly bob: Client; readonly eva: Client };
beforeAll(async () => {
  daemon = await startDaemon();
  const connect = async (name: string) => (await daemon.connectAs('operator', name)).client;
  people = { author: await connect('ada'), bob: await connect('bob'), eva: await connect('eva') };
  await daemon.client.workflow.put({
    definition: {
      name: 'reviewed',
      phases: [{ name: 'BUILD', gate: { tasksMin: 0, validators: [{ use: 'review', config: { approvals: 2 } }] } }, { name: 'DONE' }],
      edges: [{ from: 'BUILD', to: 'DONE', kind: 'forward' }],
    },
  });
});
afterAll(() => daemon.stop());

/** A ticket with code that two have approved, in the same words. */
async function createReviewed() {
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Reviewed', workflow: { name: 'reviewed' } });
  const write = (lines: number) => people.author.artifact.put({ ticketId, artifact: { type: 'code', content: { lines } } });
  const review = (by: 'bob' | 'eva', more: object = {}) =>
    people[by].artifact.put({ ticketId, artifact: { type: 'review', name: by, content: { verdict: 'approve', ...more } } });
  const judge = async () => {
    const { outcome, verdicts } = await daemon.client.gate.validate({ ticketId });
    return { outcome, codes: verdicts.flatMap(({ findings }) => findings.map(({ code }) => code)) };
  };
  await write(1);
  await review('bob');
  await review('eva');
  return { write, review, judge };
}

test('a review does not count for code that came after it, until it says that it is about that', async () => {
  const { write, review, judge } = await createReviewed();
  const before = await judge();

  const { sha256 } = await write(2);
  const changed = await judge();
  await review('bob', { judged: [sha256] });
  await review('eva', { judged: [sha256] });

  expect(before).toEqual({ outcome: 'passed', codes: [] });
  expect(changed).toEqual({
    outcome: 'failed',
    codes: ['review_outdated', 'review_outdated', 'reviews_too_few'],
  });
  expect(await judge()).toEqual({ outcome: 'passed', codes: [] });
});

test('a review of the version before does not count because it is stored late', async () => {
  const { write, review, judge } = await createReviewed();
  const { sha256 } = await write(2);

  await write(3);
  await review('bob', { judged: [sha256] });
  await review('eva', { judged: [sha256] });

  expect(await judge()).toMatchObject({ outcome: 'failed' });
});
