import type { ContextItem } from '@baton/protocol';
import { LRUCache } from 'lru-cache';
import MiniSearch from 'minisearch';
import { forEachInTurns, giveWay } from './in-turns.ts';
import { splitWords } from './split-words.ts';

type Statement = Pick<ContextItem, 'citation' | 'text' | 'rationale'>;

/** How well items answer a query, by BM25: from 0 to 1, the best of them 1. Those that have nothing of it are left out. */
export interface Relevance {
  /** `place` names the set that the items are a part of; what was indexed for it is kept. */
  score(place: string, items: readonly Statement[], query: string): Promise<ReadonlyMap<string, number>>;
}

interface Index {
  readonly search: MiniSearch;
  /** What it holds, by citation. */
  readonly statements: Map<string, Required<Statement>>;
  /** When who asked before has been answered: the index holds the items of one at a time. Never rejects. */
  readonly isFree: Promise<unknown>;
}

/** How many items the kept indexes hold together; about 1 KB each. */
const keptItemsMax = 50_000;

export function createRelevance(): Relevance {
  const kept = new LRUCache<string, Index>({ maxSize: keptItemsMax });
  return {
    score(place, items, query) {
      if (query.trim() === '') return Promise.resolve(new Map());
      const index = kept.get(place) ?? createIndex();
      const found = index.isFree.then(async () => {
        await fill(index, items);
        await giveWay();
        return search(index, query);
      });
      kept.set(place, { ...index, isFree: found.catch(() => undefined) }, { size: items.length + 1 });
      return found;
    },
  };
}

const createIndex = (): Index => ({
  search: new MiniSearch({ idField: 'citation', fields: ['text', 'rationale'], tokenize: splitWords }),
  statements: new Map(),
  isFree: Promise.resolve(),
});

/** Makes it the index of exactly these items: what has changed or gone is taken out whole, so that no score depends on what once was there. */
async function fill({ search, statements }: Index, items: readonly Statement[]): Promise<void> {
  const wanted = new Map(items.map(({ citation, text, rationale = '' }) => [citation, { citation, text, rationale }]));
  const gone = [...statements.values()].filter((statement) => !isSame(statement, wanted.get(statement.citation)));
  await forEachInTurns(gone, (statement) => {
    search.remove(statement);
    statements.delete(statement.citation);
  });
  const come = [...wanted.values()].filter(({ citation }) => !statements.has(citation));
  await forEachInTurns(come, (statement) => {
    search.add(statement);
    statements.set(statement.citation, statement);
  });
}

const isSame = (one: Required<Statement>, other: Required<Statement> | undefined): boolean =>
  one.text === other?.text && one.rationale === other.rationale;

function search({ search }: Index, query: string): ReadonlyMap<string, number> {
  const found = search.search(query);
  const best = found[0]?.score ?? 1;
  // Rounded: how a sum was added up is no reason for another order.
  return new Map(found.map(({ id, score }) => [String(id), Math.round((score / best) * 1e6) / 1e6]));
}
