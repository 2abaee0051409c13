import type { ContextItem, ContextKind, PhaseContext } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { countTokens } from './count-tokens.ts';
import { writePack } from './pack-rules.ts';

const item = (number: number, kind: ContextKind, text: string, more: Partial<ContextItem> = {}): ContextItem => ({
  id: String(number),
  citation: `c:${number}`,
  ticketId: 't',
  phase: 'DESIGN',
  visit: 1,
  kind,
  text,
  references: [],
  pinned: false,
  author: 'ada',
  createdAt: '',
  ...more,
});
const phase = (items: ContextItem[]): PhaseContext => ({
  phase: 'DESIGN',
  visit: 1,
  tasksCompleted: 1,
  summaries: [],
  items,
  artifacts: [],
  stored: true,
});
const pack = (items: ContextItem[], budget: number) => writePack([phase(items)], budget, countTokens);

test('sections stand in a fixed order, each line with its source', () => {
  const { text } = pack(
    [
      item(1, 'fact', 'It is blue.'),
      item(2, 'decision', 'Use OAuth2.', { rationale: 'known to all' }),
      item(3, 'constraint', 'No network.'),
    ],
    1_000,
  );

  expect(text).toBe(
    '## Constraints\n- No network. [c:3, DESIGN]\n\n## Decisions\n- Use OAuth2. (known to all) [c:2, DESIGN]\n\n## Facts\n- It is blue. [c:1, DESIGN]\n',
  );
});

test('what was done and what there is follow where there is room', () => {
  const done: PhaseContext = {
    ...phase([item(1, 'fact', 'It is blue.')]),
    summaries: ['Painted it.'],
    artifacts: [{ type: 'photo', name: 'a', version: 2, sha256: 'f'.repeat(64) }],
  };

  expect(writePack([done], 1_000, countTokens).text).toBe(
    '## Facts\n- It is blue. [c:1, DESIGN]\n\n## What was done\n- Painted it. [DESIGN]\n\n## Artifacts\n- photo "a" version 2, sha256 ffffffffffff [DESIGN]\n',
  );
  expect(writePack([done], 20, countTokens).text).not.toContain('Artifacts');
});

describe('the budget', () => {
  const decisions = Array.from({ length: 45 }, (_, index) =>
    item(index + 1, 'decision', `Decision number ${index + 1} settles a question of some length.`),
  );

  test.each([50, 100, 200, 400, 800])('of %i tokens is never exceeded, and what is left out is listed', (budget) => {
    const { text, tokens, omitted } = pack(decisions, budget);

    expect(countTokens(text)).toBeLessThanOrEqual(budget);
    expect(tokens).toBe(countTokens(text));
    expect(omitted.length + text.split('\n').filter((line) => line.startsWith('- ')).length).toBe(decisions.length);
  });

  test('C7 the newest survive', () => {
    const { text } = pack(decisions, 200);

    expect(text).toContain('[c:45, ');
    expect(text).not.toContain('[c:1, ');
  });

  test('a constraint comes before newer facts', () => {
    const facts = Array.from({ length: 20 }, (_, index) =>
      item(index + 2, 'fact', `Fact ${index} is good to know but not more than that.`),
    );

    expect(pack([item(1, 'constraint', 'Never delete a row.'), ...facts], 60).text).toContain('Never delete a row.');
  });

  test('pinned items that do not fit are an error, not a loss', () => {
    const pinned = Array.from({ length: 10 }, (_, index) =>
      item(index + 1, 'instruction', 'Read the style guide first, all of it.', { pinned: true }),
    );

    expect(() => pack(pinned, 60)).toThrow(expect.objectContaining({ kind: 'limit_exceeded' }) as Error);
  });
});

test('the same items make the same bytes', () => {
  const items = [item(2, 'risk', 'b'), item(1, 'risk', 'a')];

  expect(pack(items, 500)).toEqual(pack(items, 500));
});
