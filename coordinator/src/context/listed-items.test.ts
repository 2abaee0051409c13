import { describe, expect, test } from 'vitest';
import { readListedItems } from './listed-items.ts';

const said = (kind: string, text: string, more: object = {}) => ({ kind, text, references: [], pinned: false, ...more });

describe('an entry of a list in an output', () => {
  test('keeps in its data what an item has no field for', () => {
    const output = {
      decisions: [{ text: 'Use PostgreSQL.', rationale: 'It locks rows.', confidence: 0.9 }],
      constraints: [{ text: 'Answers within 50 ms.', id: 'C-1', data: { ms: 50 }, pinned: 'yes' }],
      risks: [{ text: 'Scope creep.', references: [{ kind: 'file', value: 'a.ts' }, 'see the wiki'] }],
    };

    expect(readListedItems(output)).toEqual({
      items: [
        said('decision', 'Use PostgreSQL.', { rationale: 'It locks rows.', data: { confidence: 0.9 } }),
        said('constraint', 'Answers within 50 ms.', { data: { id: 'C-1', pinned: 'yes', data: { ms: 50 } } }),
        said('risk', 'Scope creep.', { references: [{ kind: 'file', value: 'a.ts' }], data: { references: ['see the wiki'] } }),
      ],
      leftOut: [],
    });
  });

  test('that is too long is cut with a mark, at a whole character, and is whole in its data', () => {
    const [text, rationale] = [3_976, 3_998].map((length) => `${'x'.repeat(length)}😀${'y'.repeat(100)}`);

    const { items } = readListedItems({ facts: [{ text: text!, rationale: rationale! }] });

    const cut = { text: expect.stringMatching(/^x{3976}… \(sha256 [0-9a-f]{12}\)$/), rationale: `${'x'.repeat(3_998)}…` };
    expect(items).toEqual([{ ...said('fact', ''), ...cut, data: { text, rationale } }]);
  });

  test('that is too long is another than one that only begins like it', () => {
    const { items } = readListedItems({ facts: [`${'x'.repeat(4_000)} holds.`, `${'x'.repeat(4_000)} is lost.`] });

    expect(new Set(items.map(({ text }) => text)).size).toBe(2);
    expect(items.every(({ text }) => text.length <= 4_000)).toBe(true);
  });

  test('with more than an item keeps names what was left out', () => {
    const { items } = readListedItems({ facts: [{ text: 'x'.repeat(20_000), note: 'A wiki has it.' }] });

    expect(items[0]!.data).toEqual({ leftOut: ['note', 'text'] });
  });

  test('with data that is too long names it as left out, alone or beside what else there is', () => {
    const [long, most] = ['x'.repeat(15_999), 'x'.repeat(15_900)];
    const facts = [
      { text: 'One.', data: long },
      { text: 'Two.', data: long, unit: 'ms' },
      { text: 'Three.', data: most, note: long },
    ];

    expect(readListedItems({ facts }).items.map(({ data }) => data)).toEqual([
      { leftOut: ['data'] },
      { leftOut: ['unit', 'data'] },
      { leftOut: ['note'], data: most },
    ]);
  });

  test('that has no text is named as left out, and the others are taken', () => {
    const nameless = { name: 'p99', value: 120 };

    expect(readListedItems({ numbers: [500, nameless, 'Two ms.', ''] })).toEqual({
      items: [said('number', 'Two ms.')],
      leftOut: [
        {
          text: 'has under "numbers" what has no text and was not taken: 500, {"name":"p99","value":120}, ""',
          data: [500, nameless, ''],
        },
      ],
    });
  });

  test('beyond the hundredth is counted as left out', () => {
    const { items, leftOut } = readListedItems({ facts: Array.from({ length: 103 }, (_, index) => `Fact ${index}.`) });

    expect(items).toHaveLength(100);
    expect(leftOut).toEqual([{ text: 'has under "facts" 3 more than the 100 that were taken', data: { beyond: 3 } }]);
  });
});

describe('what an output has without a list', () => {
  test('is one entry where it is a text or an object with one', () => {
    const output = { constraints: 'No logging of cards.', decisions: { text: 'Use PostgreSQL.', rationale: 'It locks rows.' } };

    expect(readListedItems(output)).toEqual({
      items: [said('decision', 'Use PostgreSQL.', { rationale: 'It locks rows.' }), said('constraint', 'No logging of cards.')],
      leftOut: [],
    });
  });

  test('is as many as it has names for texts and numbers', () => {
    const output = { numbers: { poolSize: 32, timeout: '15 s' }, decisions: { store: 'PostgreSQL' } };

    expect(readListedItems(output)).toEqual({
      items: [said('decision', 'store: PostgreSQL'), said('number', 'poolSize: 32'), said('number', 'timeout: 15 s')],
      leftOut: [],
    });
  });

  test('is named as left out where it is anything else', () => {
    const output = { numbers: { pool: { size: 32 }, retries: 3 }, risks: 7, facts: true };

    expect(readListedItems(output)).toEqual({
      items: [said('number', 'retries: 3')],
      leftOut: [
        { text: 'has under "risks" what has no text and was not taken: 7', data: [7] },
        { text: 'has under "facts" what has no text and was not taken: true', data: [true] },
        {
          text: 'has under "numbers" what has no text and was not taken: {"pool":{"size":32}}',
          data: [{ pool: { size: 32 } }],
        },
      ],
    });
  });
});

test.each([undefined, null, 'decisions', ['decisions'], { decisions: [], risks: null, facts: '', numbers: {} }])(
  'an output without lists says nothing: %j',
  (output) => {
    expect(readListedItems(output)).toEqual({ items: [], leftOut: [] });
  },
);
