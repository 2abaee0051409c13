import type { SqlEntityManager } from '@mikro-orm/sql';

/** The one type of entity manager, whichever store is behind it. */
export type EntityManager = SqlEntityManager;
