/** The word that was probably meant: the nearest one, if it is near. */
export function findNearest(word: string, words: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  // A third of the letters may differ: more is another word. Of one or two letters none may.
  let distanceMax = Math.floor(word.length / 3);
  for (const candidate of words) {
    const distance = distanceOf(word.toLowerCase(), candidate.toLowerCase());
    if (distance > distanceMax || (distance === distanceMax && nearest !== undefined)) continue;
    nearest = candidate;
    distanceMax = distance;
  }
  return nearest;
}

/** `; it has A, B; did you mean A?`, for the end of a message about a name that is not known. */
export function suggest(word: string, given: readonly string[], verb = 'it has'): string {
  const words = [...new Set(given)];
  const nearest = findNearest(word, words);
  const known =
    words.length === 0 ? 'there is none' : `${verb} ${words.slice(0, knownMax).join(', ')}${words.length > knownMax ? ', …' : ''}`;
  return `; ${known}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}

/** More names than this make a message that nobody reads. */
const knownMax = 20;

/** Optimal string alignment: how many letters must be put in, taken out, changed, or swapped with their neighbour. */
function distanceOf(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const nextRow = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      nextRow.push(Math.min(change, (row[j] ?? 0) + 1, (nextRow[j - 1] ?? 0) + 1, isSwap ? (above[j - 2] ?? 0) + 1 : Infinity));
    }
    above = row;
    row = nextRow;
  }
  return row.at(-1) ?? a.length;
}
