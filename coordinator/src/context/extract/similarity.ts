import type { Sentence } from './sentences.ts';

/** The others that share words with a sentence, in their order, and how many words with each. */
export interface Neighbours {
  readonly indices: Int32Array;
  readonly shared: Int32Array;
}

/** A word that more sentences have tells none of them apart; and without a limit the pairs would grow with the square. */
const sentencesPerWordMax = 32;

/**
 * Counts the words that any two sentences share, over an index of the words, so that sentences that share none cost nothing:
 * with `n` words in all it takes at most `n · 32` steps.
 */
export function countOverlaps(sentences: readonly Sentence[]): Neighbours[] {
  const holders = new Map<string, number[]>();
  for (const [index, { words }] of sentences.entries())
    for (const word of words) {
      const known = holders.get(word);
      if (known === undefined) holders.set(word, [index]);
      else known.push(index);
    }

  const counts = new Int32Array(sentences.length);
  return sentences.map(({ words }, own) => {
    const met: number[] = [];
    for (const word of words) {
      const others = holders.get(word) ?? [];
      if (others.length > sentencesPerWordMax) continue;
      for (const other of others) {
        if (other === own) continue;
        const before = counts[other] ?? 0;
        if (before === 0) met.push(other);
        counts[other] = before + 1;
      }
    }
    const indices = Int32Array.from(met).sort();
    const shared = indices.map((index) => counts[index] ?? 0);
    for (const index of met) counts[index] = 0;
    return { indices, shared };
  });
}

/**
 * How much two sentences have in common, for the graph of TextRank: `|A ∩ B| / (log |A| + log |B|)`.
 * Mihalcea and Tarau, TextRank: Bringing Order into Texts (2004), section 4.
 */
export const textRankWeight = (shared: number, a: number, b: number): number =>
  shared / (Math.log(Math.max(a, 2)) + Math.log(Math.max(b, 2)));

/** How much two sentences have in common, from 0 to 1: `|A ∩ B| / |A ∪ B|`, the index of Jaccard. */
export const jaccard = (shared: number, a: number, b: number): number => shared / (a + b - shared);
