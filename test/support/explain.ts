import { configSchema } from '../../coordinator/src/config.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import type { EntityManager } from '../../coordinator/src/db/orm.ts';

type Plugin = Parameters<ReturnType<EntityManager['getKysely']>['withPlugin']>[0];

/**
 * Runs a query of the coordinator's own code on its database, each statement as `explain (analyze)` of itself: the query is
 * given no rows. Returns the plans.
 */
export async function explainStatements(databaseUrl: string, query: (em: EntityManager) => Promise<unknown>): Promise<string[][]> {
  const store = await openStore(configSchema.parse({ databaseUrl }));
  const plans: string[][] = [];
  const explain: Plugin = {
    transformQuery({ node }) {
      if (node.kind !== 'RawNode' || !('sqlFragments' in node)) throw new Error('Only statements written as text can be explained.');
      const [first = '', ...rest] = node.sqlFragments;
      return { ...node, sqlFragments: [`explain (analyze, costs off, timing off) ${first}`, ...rest] };
    },
    transformResult: async ({ result }) => {
      plans.push(result.rows.map((row) => String(row['QUERY PLAN'])));
      return { ...result, rows: [] };
    },
  };
  try {
    const em = store.em.fork();
    const explaining = { getKysely: () => em.getKysely().withPlugin(explain) } as unknown as EntityManager;
    await query(explaining);
  } finally {
    await store.close();
  }
  return plans;
}
