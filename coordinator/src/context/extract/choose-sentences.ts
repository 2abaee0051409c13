import type { Sentence } from './sentences.ts';
import { jaccard, type Neighbours } from './similarity.ts';

/** How much being central weighs against being new. The value that Carbonell and Goldstein found good for summaries. */
const lambda = 0.7;

export interface Candidates {
  readonly sentences: readonly Sentence[];
  readonly overlaps: readonly Neighbours[];
  /** How much each sentence is worth by itself, of at least 0. */
  readonly worths: readonly number[];
}

/**
 * Offers sentences one after the other, each time the one that is worth most and says least of what has been taken: maximal
 * marginal relevance, `argmax λ · worth(s) − (1 − λ) · max over taken t of sim(s, t)`, with worths scaled to 1 and Jaccard's
 * similarity; of equals the first. One that `take` refuses stays out and keeps nobody away.
 * Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking (1998).
 */
export function chooseSentences(
  { sentences, overlaps, worths }: Candidates,
  take: (sentence: Sentence) => 'taken' | 'refused' | 'full',
): void {
  const worthMax = Math.max(...worths, Number.MIN_VALUE);
  const nearest = sentences.map(() => 0);
  const open = new Set(sentences.keys());
  const score = (index: number) => (lambda * (worths[index] ?? 0)) / worthMax - (1 - lambda) * (nearest[index] ?? 0);

  while (open.size > 0) {
    let best: number | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const index of open) {
      const own = score(index);
      if (own > bestScore) [best, bestScore] = [index, own];
    }
    const chosen = best === undefined ? undefined : sentences[best];
    if (best === undefined || chosen === undefined) return;
    open.delete(best);
    const answer = take(chosen);
    if (answer === 'full') return;
    if (answer === 'refused') continue;
    const { indices, shared } = overlaps[best] ?? { indices: [], shared: [] };
    for (const [place, other] of indices.entries())
      nearest[other] = Math.max(nearest[other] ?? 0, jaccard(shared[place] ?? 0, chosen.words.size, sentences[other]?.words.size ?? 0));
  }
}
