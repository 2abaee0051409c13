import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePatterns, compilePattern, stepsMax } from './lock-pattern.ts';
import { isPattern, literalPattern, parsePattern } from './pattern-syntax.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

const compare = (a: string, b: string) => comparePatterns(compile(a), compile(b));
const common = (a: string, b: string) => compare(a, b).path;
const compile = (path: string) => compilePattern(isPattern(path) ? parsePattern(path) : literalPattern(path));

/** The same language by other means: one regular expression. */
function toRegExp(pattern: string): RegExp {
  const segment = (name: string) =>
    name
      .replaceAll('.', String.raw`\.`)
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')
      .replaceAll('[!', '[^/')
      .replaceAll('{', '(?:')
      .replaceAll('}', ')')
      .replaceAll(/,(?=[^()]*\))/g, '|');
  const names = pattern.split('/');
  const parts = names.map((name, index) => {
    const isLast = index === names.length - 1;
    if (name === '**') return isLast ? '[^/]+(?:/[^/]+)*' : '(?:[^/]+/)*';
    return segment(name) + (isLast ? '' : '/');
  });
  return new RegExp(`^${parts.join('')}$`);
}

/** All canonical paths over a small alphabet up to a length. */
function allPaths(lengthMax: number): string[] {
  const texts = [''];
  for (const text of texts) if (text.length < lengthMax) for (const char of 'ab./') texts.push(text + char);
  return texts.filter((text) => text.split('/').every((name) => name !== '' && name !== '.' && name !== '..'));
}

const atom = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', '.', '*', '?') },
  { weight: 1, arbitrary: fc.constantFrom('[ab]', '[!a]', '[a-z]') },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.array(fc.constantFrom('a', 'b', '.', '?', '*'), { maxLength: 2 }).map((parts) => parts.join('')),
        { minLength: 1, maxLength: 3 },
      )
      .map((alternatives) => `{${alternatives.join(',')}}`),
  },
);
const segmentText = fc.oneof(
  { weight: 4, arbitrary: fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => atoms.join('').replaceAll(/\*+/g, '*')) },
  { weight: 1, arbitrary: fc.constant('**') },
);
const patternText = fc
  .array(segmentText, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/'))
  .filter((text) => !text.split('/').some((name) => name === '.' || name === '..'));

describe('two patterns', () => {
  const paths = allPaths(6);

  test('have a common path exactly if one is found, it is a shortest one, and both match it', () => {
    fc.assert(
      fc.property(patternText, patternText, (a, b) => {
        const [inA, inB] = [toRegExp(a), toRegExp(b)];
        const shortest = paths.find((path) => inA.test(path) && inB.test(path));

        const witness = common(a, b);

        const isOfBoth = witness === undefined || (inA.test(witness) && inB.test(witness));
        // What is found beyond the paths tried is longer than they are.
        const isShortest = shortest === undefined ? (witness?.length ?? Infinity) > 6 : witness?.length === shortest.length;
        expect({ isOfBoth, isShortest }).toEqual({ isOfBoth: true, isShortest: true });
      }),
      { numRuns: 1_500 },
    );
  });

  test('a pattern and a path have one in common exactly if the pattern matches the path', () => {
    fc.assert(
      fc.property(patternText, fc.constantFrom(...paths), (pattern, path) => {
        expect(common(pattern, path)).toBe(toRegExp(pattern).test(path) ? path : undefined);
      }),
      { numRuns: 1_500 },
    );
  });

  test.each([
    ['src/*/a.ts', 'src/x/*.ts', 'src/x/a.ts'],
    ['src/**', 'src/a.ts', 'src/a.ts'],
    ['**', 'a/b/c', 'a/b/c'],
    ['**/a.ts', 'a.ts', 'a.ts'],
    ['src/**/test/*.ts', 'src/{x,y}/**', 'src/x/test/.ts'],
    ['a{b,c}?', 'a[!b]d', 'acd'],
    ['docs/[a-c]*', 'docs/c*z', 'docs/cz'],
    ['/tmp/*', '/tmp/x', '/tmp/x'],
    ['app/[[]id]/page', 'app/?id?/page', 'app/[id]/page'],
  ])('%s and %s meet in %s', (a, b, witness) => expect(common(a, b)).toBe(witness));

  test.each([
    ['src/*.ts', 'src/x/a.ts'],
    ['src/**', 'src'],
    ['src/*/a.ts', 'src/x/b.ts'],
    ['a*b', 'a*c'],
    ['[ab]', '[c-z]'],
    ['*', '/a'],
    ['?', '*/*'],
    ['.{.,a}', '?.'],
  ])('%s and %s never meet', (a, b) => expect(common(a, b)).toBeUndefined());

  test('the largest that people could mean are told apart', () => {
    const large = Array.from({ length: 24 }, (_, index) => `*${'ab'.repeat(4)}${index % 2}`)
      .join('')
      .slice(0, 250);

    expect(compare(large, `${large.toUpperCase()}b`)).toMatchObject({ path: undefined, isDecided: true });
  });

  // So many places at which nothing needs to stand: each of them is one step, however many others lie beside it.
  test.each([12, 23])('with %i stars and empty alternatives they are told apart within the steps that are allowed', (count) => {
    const { path, isDecided, steps } = compare(`${'*{,?}'.repeat(count)}b`, `${'*{,?}'.repeat(count)}c`);

    expect({ path, isDecided }).toEqual({ path: undefined, isDecided: true });
    expect(steps).toBeLessThan(stepsMax);
  });

  test('that take more steps than are allowed are left undecided', () => {
    const many = `${'*?'.repeat(23)}*${'?'.repeat(200)}`;
    const { path, isDecided, steps } = compare(`${many}b`, `${many}c`);

    expect({ path, isDecided, steps }).toEqual({ path: undefined, isDecided: false, steps: stepsMax });
  });
});

describe('the canonical form', () => {
  test.each([
    ['./src//*.ts', 'src/*.ts'],
    ['src/**/**/a', 'src/**/a'],
    ['src/*/', 'src/*'],
    ['/tmp/*', '/tmp/*'],
  ])('of %s is %s', (path, text) => expect(parsePattern(path).text).toBe(text));
});

describe('a pattern that is refused says what to write instead', () => {
  test.each([
    ['src/a**', /stands alone/],
    ['src/[a', /without its \]/],
    ['src/[]', /without its \]|at least one/],
    ['src/[^a]', /negated by !/],
    ['src/[z-a]', /backwards/],
    ['src/[[:alpha:]]', /Write the range/],
    ['src/{a,{b,c}}', /one pair/],
    ['{a/b,c}', /one segment/],
    ['src/../*', /no \.\. segment/],
    [String.raw`src/\*`, /no escapes/],
    [`*${'a'.repeat(300)}`, /at most 256/],
    ['*a'.repeat(30), /at most 24/],
    [`{${'a,'.repeat(70)}}`, /at most 64/],
  ])('%s', (path, remedy) => {
    expect(() => parsePattern(path)).toThrow(
      expect.objectContaining({
        kind: 'lock_key_invalid',
        data: expect.objectContaining({ message: expect.stringMatching(remedy) as string }) as object,
      }) as Error,
    );
  });
});
