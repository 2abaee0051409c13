/** Code points as ranges with both ends, in order and apart from each other. */
export type CharSet = readonly (readonly [number, number])[];

const codeOf = (char: string): number => char.codePointAt(0) ?? 0;

export const oneChar = (char: string): CharSet => [[codeOf(char), codeOf(char)]];

/** The set of some ranges, which may overlap and stand in any order. */
export function toCharSet(ranges: readonly (readonly [string, string])[]): CharSet {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.map(([from, to]) => [codeOf(from), codeOf(to)] as const).toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

const lastCode = 0x10_ff_ff;

/** All code points that a set does not have. */
export function complementOf(set: CharSet): CharSet {
  const gaps: [number, number][] = [];
  let from = 0;
  for (const [low, high] of set) {
    if (low > from) gaps.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= lastCode) gaps.push([from, lastCode]);
  return gaps;
}

export function intersect(a: CharSet, b: CharSet): CharSet {
  const common: [number, number][] = [];
  for (let i = 0, j = 0; ;) {
    const [left, right] = [a[i], b[j]];
    if (left === undefined || right === undefined) return common;
    const [low, high] = [Math.max(left[0], right[0]), Math.min(left[1], right[1])];
    if (low <= high) common.push([low, high]);
    if (left[1] < right[1]) i += 1;
    else j += 1;
  }
}

/**
 * What may stand in a segment of a path: anything but the slash, the backslash (which is read as a slash), line ends (which no
 * key has), NUL and halves of pairs (which the database does not take).
 */
export const segmentChars: CharSet = complementOf(
  toCharSet([
    ['\0', '\0'],
    ['\n', '\n'],
    ['\r', '\r'],
    ['/', '/'],
    ['\\', '\\'],
    ['\u2028', '\u2029'],
    ['\ud800', '\udfff'],
  ]),
);

const nice: readonly CharSet[] = [
  ['a', 'z'],
  ['0', '9'],
  ['A', 'Z'],
  ['!', '~'],
].map(([from = '', to = '']) => toCharSet([[from, to]]));

/** A character of the set, one that reads well if there is one. */
export function pickChar(set: CharSet): string | undefined {
  for (const pleasing of nice) {
    const [first] = intersect(set, pleasing);
    if (first !== undefined) return String.fromCodePoint(first[0]);
  }
  const [first] = set;
  return first === undefined ? undefined : String.fromCodePoint(first[0]);
}
