export function compareNatural(a: string, b: string): number {
  const left = splitRuns(a);
  const right = splitRuns(b);
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = compareRuns(left[index] as string, right[index] as string);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export function sortNatural(values: readonly string[]): string[] {
  return [...values].sort(compareNatural);
}

/** `item12b` is `item`, `12`, `b`. */
function splitRuns(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function compareRuns(a: string, b: string): number {
  const bothNumbers = /^\d/.test(a) && /^\d/.test(b);
  if (!bothNumbers) return a < b ? -1 : a > b ? 1 : 0;
  const byValue = BigInt(a) - BigInt(b);
  if (byValue !== 0n) return byValue < 0n ? -1 : 1;
  // Equal values: the one with fewer leading zeros comes first.
  return a.length - b.length;
}
