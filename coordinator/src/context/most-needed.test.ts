import type { ContextItem, ContextKind } from '@baton/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toNumber } from './citation.ts';
import { itemOf } from './item-fixture.ts';
import { keepMostNeeded } from './most-needed.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

const itemsMax = 6;
const kind = fc.constantFrom<ContextKind>('fact', 'fact', 'decision', 'constraint');
const numbers = fc.nat(20);
const change = fc.oneof(
  fc.record({ what: fc.constant('note' as const), kind, pinned: fc.boolean() }),
  fc.record({ what: fc.constantFrom('supersede' as const, 'pin' as const, 'unpin' as const), number: numbers }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** What holds after some changes, and which items they were about. */
function apply(holding: readonly ContextItem[], changes: readonly Change[], next: number) {
  const after = new Map(holding.map((item) => [item.citation, item]));
  const changed = new Set<string>();
  for (const [index, each] of changes.entries()) {
    const citation = `c:${each.what === 'note' ? next + index : each.number}`;
    const item = each.what === 'note' ? itemOf(next + index, each.kind, 'So.', { pinned: each.pinned }) : after.get(citation);
    if (item === undefined) continue;
    changed.add(citation);
    if (each.what === 'supersede') after.delete(citation);
    else after.set(citation, each.what === 'note' ? item : { ...item, pinned: each.what === 'pin' });
  }
  return { after: byNumber([...after.values()]), changed };
}

const byNumber = (items: readonly ContextItem[]) => items.toSorted((a, b) => toNumber(a.citation) - toNumber(b.citation));

const mustStay = ({ kind }: ContextItem) => kind === 'constraint';

/** The definition, from all that holds. */
const readMostNeeded = (holding: readonly ContextItem[]) =>
  byNumber(
    holding
      .toSorted(
        (a, b) =>
          Number(b.pinned) - Number(a.pinned) || Number(mustStay(b)) - Number(mustStay(a)) || toNumber(b.citation) - toNumber(a.citation),
      )
      .slice(0, itemsMax),
  );

describe('what is held after a change', () => {
  test('is what would be read, or is to be read', () => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 15 }), (rounds) => {
        let holding: readonly ContextItem[] = [];
        let held: readonly ContextItem[] = [];
        for (const [round, changes] of rounds.entries()) {
          const { after, changed } = apply(holding, changes, round * 4 + 1);
          const read = after.filter(({ citation }) => changed.has(citation));
          const same = held.filter(({ citation }) => !changed.has(citation));

          const kept = keepMostNeeded(held, byNumber([...same, ...read]), itemsMax);

          holding = after;
          held = readMostNeeded(holding);
          expect(kept ?? held).toEqual(held);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['something was noted', itemOf(7, 'fact', 'So.'), [2, 3, 4, 5, 6, 7]],
    ['something was noted that must not be forgotten', itemOf(7, 'constraint', 'So.'), [2, 3, 4, 5, 6, 7]],
    ['something of it was pinned', itemOf(1, 'fact', 'So.', { pinned: true }), [1, 2, 3, 4, 5, 6]],
  ])('is not read anew where %s', (_what, changed, numbers) => {
    const held = [1, 2, 3, 4, 5, 6].map((number) => itemOf(number, 'fact', 'So.'));
    const now = byNumber([...held.filter(({ citation }) => citation !== changed.citation), changed]);

    const kept = keepMostNeeded(held, now, itemsMax);

    expect(kept?.map(({ citation }) => toNumber(citation))).toEqual(numbers);
  });
});
