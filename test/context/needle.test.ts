import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { budgets, documentedSeed, measureRecall, type Recall } from './measure.ts';
import { needles } from './needles.ts';
import { writeNotes } from './notes.ts';

let daemon: Daemon;
let recalls: Recall[];
beforeAll(async () => {
  daemon = await startDaemon();
  recalls = await measureRecall(daemon.client, documentedSeed);
});
afterAll(() => daemon.stop());

const find = (way: string, budget: number): Recall => recalls.find((each) => each.way === way && each.budgetTokens === budget)!;

test('the notes are 200, with 20 constraints and numbers, and the same each time', () => {
  const notes = writeNotes(1);

  expect(notes).toHaveLength(200);
  expect(
    notes
      .filter(({ item }) => item.kind === 'constraint' || item.kind === 'number')
      .map(({ item }) => item.text)
      .toSorted(),
  ).toEqual(needles.map(({ text }) => text).toSorted());
  expect(writeNotes(1)).toEqual(notes);
  expect(writeNotes(2)).not.toEqual(notes);
});

describe.each(budgets)('a reader with %i tokens', (budget) => {
  test.each(['first N', 'last N', 'plain BM25'])('is told no less of what is asked than by %s', (way) => {
    expect(find('Baton', budget).answered).toBeGreaterThanOrEqual(find(way, budget).answered);
  });

  test.each(['first N', 'last N', 'plain BM25'])('is told no less of all constraints and numbers than by %s', (way) => {
    expect(find('Baton', budget).carried).toBeGreaterThanOrEqual(find(way, budget).carried);
  });
});
