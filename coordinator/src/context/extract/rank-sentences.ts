import type { Sentence } from './sentences.ts';
import { type Neighbours, textRankWeight } from './similarity.ts';

/** The chance to go on to a neighbour instead of anywhere. As in Brin and Page (1998). */
const damping = 0.85;
const roundsMax = 30;
/** A round that changes no rank by more has changed nothing that an order could show. */
const precision = 1e-4;

/**
 * How central each sentence is among the others: the rank of a walk over the graph of what they have in common,
 * `R(i) = (1 − d) + d · Σj w(j, i) / Σk w(j, k) · R(j)`, by power iteration.
 * Mihalcea and Tarau, TextRank: Bringing Order into Texts (2004), section 2.2.
 */
export function rankSentences(sentences: readonly Sentence[], overlaps: readonly Neighbours[]): Float64Array {
  const sizeOf = (index: number) => sentences[index]?.words.size ?? 0;
  const edges = overlaps.map(({ indices, shared }, from) => {
    const weights = Float64Array.from(shared, (count, place) => textRankWeight(count, sizeOf(from), sizeOf(indices[place] ?? from)));
    return { indices, weights };
  });
  const sums = edges.map(({ weights }) => weights.reduce((sum, weight) => sum + weight, 0));

  let ranks = new Float64Array(sentences.length).fill(1);
  // What each sentence gives on, for each unit of weight.
  const given = new Float64Array(sentences.length);
  for (let round = 0; round < roundsMax; round += 1) {
    for (const [index, sum] of sums.entries()) given[index] = sum === 0 ? 0 : (ranks[index] ?? 0) / sum;
    let change = 0;
    // The weights are the same both ways, so what comes in is read from the own neighbours.
    const next = new Float64Array(sentences.length);
    for (const [index, { indices, weights }] of edges.entries()) {
      let received = 0;
      for (let place = 0; place < indices.length; place += 1) received += (weights[place] ?? 0) * (given[indices[place] ?? 0] ?? 0);
      next[index] = 1 - damping + damping * received;
      change = Math.max(change, Math.abs((next[index] ?? 0) - (ranks[index] ?? 0)));
    }
    ranks = next;
    if (change < precision) break;
  }
  return ranks;
}
