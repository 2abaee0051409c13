import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSummaryTurns } from './summary-turns.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

const workOf = (ticketId: string, phase: string, number = 0) => ({ ticketId, phase, number });

test('tickets take turns, whoever asks for most', () => {
  const turns = createSummaryTurns<ReturnType<typeof workOf>>();
  for (const phase of ['A', 'B', 'C', 'D']) turns.put(workOf('busy', phase));
  turns.put(workOf('other', 'A'));

  const order = Array.from({ length: 6 }, () => turns.take()).map((work) => work && `${work.ticketId} ${work.phase}`);

  expect(order).toEqual(['busy A', 'other A', 'busy B', 'busy C', 'busy D', undefined]);
});

test('newer work for a phase waits in the place of the older', () => {
  const turns = createSummaryTurns<ReturnType<typeof workOf>>();
  turns.put(workOf('t', 'A', 1));
  turns.put(workOf('t', 'B', 2));

  expect(turns.put(workOf('t', 'A', 3))).toEqual(workOf('t', 'A', 1));
  expect(turns.size).toBe(2);
  expect([turns.take(), turns.take(), turns.take()]).toEqual([workOf('t', 'A', 3), workOf('t', 'B', 2), undefined]);
});

test('whatever is put, each phase is taken once, with its newest work, and no ticket twice before another that waits', () => {
  const work = fc.record({ ticketId: fc.constantFrom('t', 'u', 'v'), phase: fc.constantFrom('A', 'B', 'C'), number: fc.nat() });
  fc.assert(
    fc.property(fc.array(work), (given) => {
      const turns = createSummaryTurns<(typeof given)[number]>();
      for (const each of given) turns.put(each);
      const newest = new Map(given.map((each) => [`${each.ticketId} ${each.phase}`, each]));
      expect(turns.size).toBe(newest.size);

      const taken = Array.from({ length: turns.size }, () => turns.take()!);

      expect(new Set(taken)).toEqual(new Set(newest.values()));
      const isFair = taken.every(({ ticketId }, index) => {
        const later = taken.slice(index + 1).map((each) => each.ticketId);
        const next = later.indexOf(ticketId);
        return next === -1 || new Set(later.slice(0, next + 1)).size === new Set(later).size;
      });
      expect(isFair).toBe(true);
    }),
  );
});
