import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acceptanceCases } from './cases.ts';

/** The ids that the titles of the tests in this folder begin with: `test('P1, P2 the phases …')`. */
function citedIds(): Set<string> {
  const sources = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts') && name !== 'coverage.test.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  const titles = sources.flatMap((source) => [...source.matchAll(/\b(?:test|it)(?:\.\w+(?:\([^()]*\))?)*\(\s*(['"`])(?<title>.*?)\1/g)]);
  return new Set(titles.flatMap(({ groups }) => idsOf(groups?.['title'] ?? '')));
}

const idsOf = (title: string) => /^(?:[A-Z]{1,2}\d+(?:, )?)+/.exec(title)?.[0].split(', ') ?? [];

test('every acceptance case that is built is cited by a test', () => {
  const cited = citedIds();

  const missing = acceptanceCases.filter(({ id, built }) => built && !cited.has(id)).map(({ id, text }) => `${id} ${text}`);

  expect(missing).toEqual([]);
});

test('every id that a test cites is a case', () => {
  const known = new Set(acceptanceCases.map(({ id }) => id));

  expect([...citedIds()].filter((id) => !known.has(id))).toEqual([]);
});

test('no case is listed twice', () => {
  const ids = acceptanceCases.map(({ id }) => id);

  expect(ids).toEqual([...new Set(ids)]);
});
