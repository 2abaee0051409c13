import { expect, test } from 'vitest';
import { nameCut, nameOmitted } from './not-told.ts';

const lacking = (count: number) => Array.from({ length: count }, (_, index) => ({ citation: `c:${index + 1}`, tokens: index + 1 }));

test('of many that found no room those are named that come next, and the others are counted', () => {
  const { omitted, omittedBeyond } = nameOmitted(lacking(1_002));

  expect(omitted).toEqual(lacking(1_000));
  expect(omittedBeyond).toEqual({ items: 2, tokens: 1_001 + 1_002 });
});

test('of many that are cut those are named that lack most, and the others are counted', () => {
  const { cut, cutBeyond } = nameCut(lacking(1_002));

  expect(cut).toEqual(lacking(1_002).slice(2));
  expect(cutBeyond).toEqual({ items: 2, tokens: 1 + 2 });
});

test('as many as are named at most are all of them', () => {
  expect(nameOmitted(lacking(1_000))).toEqual({ omitted: lacking(1_000) });
  expect(nameCut(lacking(1_000))).toEqual({ cut: lacking(1_000) });
  expect(nameCut([])).toEqual({});
});
