import { type ContextItem, contextKinds, CoordinatorError } from '@baton/protocol';
import { countTokens } from '@baton/sdk/plugin/host';
import fc from 'fast-check';
import { countTokens as countExactly } from 'gpt-tokenizer';
import { describe, expect, test } from 'vitest';
import { itemOf } from './item-fixture.ts';
import { createPackCounter } from './pack-counter.ts';
import { type PackText, type Withdrawal, writePack } from './pack-rules.ts';
import { oneLine } from './pack-sections.ts';
import { rankItems } from './rank-items.ts';
import { createRelevance } from './relevance.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

const phases = ['REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION'];
const query = 'session lease in src/a.ts';

/** Texts of all lengths, in words, in other alphabets, in lines. */
const text = fc.oneof(
  fc.lorem({ maxCount: 40 }),
  fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }).filter((value) => value.trim() !== ''),
  fc.constantFrom(
    'session lease',
    'The lease of a session is 15 s.',
    'x'.repeat(4_000),
    // What must not be forgotten and has a size at which it decides what else has room.
    'No migration may lock a table for longer than a second. '.repeat(60),
    '一二三四五六七八九十'.repeat(20),
    '## Heading\n- line',
  ),
);
const reference = fc.oneof(
  fc.record({ kind: fc.constant('file' as const), value: fc.constantFrom('src/a.ts', 'src/b.ts') }),
  fc.record({ kind: fc.constant('item' as const), value: fc.nat(40).map((number) => `c:${number}`) }),
);
const item = fc.record({
  kind: fc.constantFrom(...contextKinds),
  text,
  rationale: fc.option(text, { nil: undefined }),
  phase: fc.constantFrom(...phases),
  pinned: fc.boolean(),
  source: fc.constantFrom('said' as const, 'said' as const, 'summary' as const, 'artifact' as const, 'mechanical' as const),
  references: fc.array(reference, { maxLength: 2 }),
});
const items = fc.array(item, { maxLength: 40 }).map((given): ContextItem[] =>
  given.map(({ kind, text, rationale, pinned, ...more }, index) =>
    // One in ten is pinned: with half of them every pack would be refused.
    itemOf(index + 1, kind, text, { ...more, pinned: pinned && index % 5 === 0, ...(rationale !== undefined && { rationale }) }),
  ),
);
const budget = fc.oneof(fc.integer({ min: 50, max: 1_000 }), fc.integer({ min: 1_000, max: 20_000 }));
/** Of items that hold and of some that do not. */
const narratives = fc.array(
  fc
    .array(fc.nat(60), { minLength: 1, maxLength: 3 })
    .map((numbers) => `In short it is so. [${numbers.map((each) => `c:${each}`).join(', ')}]`),
  { maxLength: 5 },
);

/** Some that are no items of the pack, as what was withdrawn is none; more than are told one by one. */
const withdrawals = fc.array(
  fc.record({ citation: fc.integer({ min: 100, max: 140 }).map((number) => `c:${number}`), by: fc.constantFrom('c:1', undefined) }),
  { maxLength: 40 },
);

const counters = { tokenx: countTokens, 'gpt-tokenizer': (given: string) => countExactly(given, { disallowedSpecial: new Set() }) };

interface Given {
  readonly all: readonly ContextItem[];
  readonly narratives: readonly string[];
  readonly withdrawn: readonly Withdrawal[];
}

/** Undefined where the pinned ones alone do not fit. */
async function packOf({ all, narratives, withdrawn }: Given, budgetTokens: number, count = countTokens): Promise<PackText | undefined> {
  const relevance = await createRelevance().score('a place', all, query);
  try {
    return writePack(
      { ranked: rankItems(all, { phases, query, relevance }), phases, narratives, withdrawn },
      budgetTokens,
      createPackCounter(count),
    );
  } catch (error) {
    if (error instanceof CoordinatorError && error.kind === 'limit_exceeded') return undefined;
    throw error;
  }
}

const given = fc.record({ all: items, narratives, withdrawn: withdrawals });
const citationsOf = (pack: PackText | undefined) => new Set(pack?.chosen.map(({ citation }) => citation));

describe.each(Object.entries(counters))('counted by %s', (_name, count) => {
  test('the budget is never exceeded', async () => {
    await fc.assert(
      fc.asyncProperty(given, budget, async (given, budgetTokens) => {
        const pack = await packOf(given, budgetTokens, count);

        expect(count(pack?.text ?? '')).toBeLessThanOrEqual(budgetTokens);
        expect(pack?.tokens).toBe(pack && count(pack.text));
      }),
      { numRuns: 150 },
    );
  });

  test('a larger budget never drops an item that a smaller one held', async () => {
    await fc.assert(
      fc.asyncProperty(given, budget, budget, async (given, one, other) => {
        const smaller = await packOf(given, Math.min(one, other), count);
        const larger = await packOf(given, Math.max(one, other), count);

        expect([...citationsOf(smaller)].filter((citation) => !citationsOf(larger).has(citation))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

/** Enough short ones that narratives have room beside them, and lines that speak of any of them. */
const manyItems = fc
  .array(fc.tuple(fc.constantFrom(...contextKinds), fc.integer({ min: 1, max: 60 }), fc.constantFrom(...phases)), {
    minLength: 80,
    maxLength: 160,
  })
  .map((given) =>
    given.map(([kind, words, phase], index) => itemOf(index + 1, kind, `Item ${index} ${'says it '.repeat(words)}`, { phase })),
  );
const manySayings = fc.array(
  fc
    .tuple(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 40 }))
    .map(([numbers, words]) => `So ${'it was '.repeat(words)}${numbers.map((each) => `[c:${each}]`).join('')}`),
  { maxLength: 40 },
);
const told = ({ text }: PackText) => new Set(text.match(/c:\d+/g));

test('a larger budget tells whatever a smaller one did, be it in short', async () => {
  await fc.assert(
    fc.asyncProperty(
      manyItems,
      manySayings,
      fc.integer({ min: 1_900, max: 4_000 }),
      fc.integer({ min: 1, max: 40 }),
      async (all, sayings, one, more) => {
        const packs = [
          await packOf({ all, narratives: sayings, withdrawn: [] }, one),
          await packOf({ all, narratives: sayings, withdrawn: [] }, one + more),
        ];
        const [smaller, larger] = packs.map((pack) => told(pack as PackText));

        expect([...(smaller ?? [])].filter((citation) => larger?.has(citation) !== true)).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
});

test('an item whose line has not all of it is named as cut', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, async (given, budgetTokens) => {
      const pack = await packOf(given, budgetTokens);
      if (pack === undefined) return;
      const cut = new Set(pack.cut.map(({ citation }) => citation));

      for (const { citation, text, rationale = '' } of given.all.filter((each) =>
        pack.chosen.some(({ citation }) => citation === each.citation),
      )) {
        const isWhole = pack.text.includes(oneLine(text)) && pack.text.includes(oneLine(rationale));
        expect(isWhole || cut.has(citation)).toBe(true);
      }
    }),
  );
});

test('a larger budget cuts nothing that a smaller one told whole', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, budget, async (given, one, other) => {
      const smaller = await packOf(given, Math.min(one, other));
      const larger = await packOf(given, Math.max(one, other));
      const cut = new Set(smaller?.cut.map(({ citation }) => citation));
      const known = citationsOf(smaller);

      expect(larger?.cut.filter(({ citation }) => known.has(citation) && !cut.has(citation)) ?? []).toEqual([]);
    }),
  );
});

test('no pinned item is ever lost: it is there or the pack is refused', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, async (given, budgetTokens) => {
      const pack = await packOf(given, budgetTokens);
      const pinned = given.all.filter((each) => each.pinned).map(({ citation }) => citation);
      const lost = pack === undefined ? [] : pinned.filter((citation) => !citationsOf(pack).has(citation));

      expect(lost).toEqual([]);
    }),
  );
});

test('every item is in the text, once, or named as omitted', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, async (given, budgetTokens) => {
      const pack = await packOf(given, budgetTokens);
      if (pack === undefined) return;

      const named = [...pack.chosen, ...pack.omitted].map(({ citation }) => citation);
      expect(named.toSorted()).toEqual(given.all.map(({ citation }) => citation).toSorted());
      for (const { citation, phase } of pack.chosen) expect(pack.text).toContain(`[${citation}, ${phase}]`);
    }),
  );
});

test('every line of the text is cited', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, async (given, budgetTokens) => {
      const lines = ((await packOf(given, budgetTokens))?.text ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('## '));

      expect(lines.filter((line) => !/\[c:\d+/.test(line))).toEqual([]);
    }),
  );
});

test('a narrative speaks of nothing that no longer holds', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, async (given, budgetTokens) => {
      const [, inShort = ''] = ((await packOf(given, budgetTokens))?.text ?? '').split('## The rest in short\n');
      const holding = new Set(given.all.map(({ citation }) => citation));

      expect((inShort.match(/c:\d+/g) ?? []).filter((citation) => !holding.has(citation))).toEqual([]);
    }),
  );
});

test('the same items make the same bytes, in whatever order they come', async () => {
  await fc.assert(
    fc.asyncProperty(given, budget, async (given, budgetTokens) => {
      const turned = { ...given, all: given.all.toReversed() };

      expect((await packOf(turned, budgetTokens))?.text).toBe((await packOf(given, budgetTokens))?.text);
    }),
  );
});
