import type { ContextItem } from '@baton/protocol';
import { LRUCache } from 'lru-cache';
import MiniSearch from 'minisearch';

type Statement = Pick<ContextItem, 'citation' | 'text' | 'rationale'>;

/** How well items answer a query, by BM25: from 0 to 1, the best of them 1. Those that have nothing of it are left out. */
export interface Relevance {
  /** `place` names the set that the items are a part of, oldest first; what was indexed for it is kept. */
  score(place: string, items: readonly Statement[], query: string): ReadonlyMap<string, number>;
}

interface Index {
  readonly search: MiniSearch;
  /** What it holds, in the order of indexing. */
  readonly statements: Statement[];
}

/** How many items the kept indexes hold together; about 1 KB each. */
const keptItemsMax = 50_000;

export function createRelevance(): Relevance {
  const kept = new LRUCache<string, Index>({ maxSize: keptItemsMax, sizeCalculation: ({ statements }) => statements.length + 1 });
  return {
    score(place, items, query) {
      if (query.trim() === '') return new Map();
      const index = takeUp(kept.get(place), items);
      kept.set(place, index);
      const found = index.search.search(query);
      const best = found[0]?.score ?? 1;
      // Rounded: how a sum was added up is no reason for another order.
      return new Map(found.map(({ id, score }) => [String(id), Math.round((score / best) * 1e6) / 1e6]));
    },
  };
}

/**
 * The index of exactly these items. New ones are added to what was indexed before; where something was changed or taken away it
 * is made anew, so that a score never depends on what once was there.
 */
function takeUp(before: Index | undefined, items: readonly Statement[]): Index {
  const isGrown = before !== undefined && before.statements.every((statement, position) => isSame(statement, items[position]));
  const index = isGrown ? before : { search: new MiniSearch({ idField: 'citation', fields: ['text', 'rationale'] }), statements: [] };
  for (const { citation, text, rationale = '' } of items.slice(index.statements.length)) {
    index.search.add({ citation, text, rationale });
    index.statements.push({ citation, text, rationale });
  }
  return index;
}

const isSame = (indexed: Statement, { citation, text, rationale = '' }: Partial<Statement> = {}): boolean =>
  indexed.citation === citation && indexed.text === text && indexed.rationale === rationale;
