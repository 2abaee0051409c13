import type { Pool, PoolClient } from 'pg';
import type { Store } from '../../coordinator/src/db/open-store.ts';

/** A statement that a store wants to run and that waits for its turn. */
export interface HeldStatement {
  readonly text: string;
  /** The backend that will run it. */
  readonly pid: number;
  /** Lets it go to the database. Ends when it has ended there, with the number of rows, or undefined where it failed. */
  release(): Promise<number | undefined>;
}

/**
 * Stands between a store and its database. While it is closed every statement of the store waits here until it is released;
 * the store, and the code above it, are the product's own and know nothing of it.
 */
export interface Gate {
  close(): void;
  /** Changes every statement on its way, held or not: how a test makes a mistake in the product's SQL on purpose. */
  rewrite(change: (text: string) => string): void;
  /** Lets everything through from now on. */
  open(): void;
  /** The statements that wait here, in the order of their coming. */
  readonly held: readonly HeldStatement[];
  /** Something of the store is under way in the database: a statement, or a new connection. */
  readonly isBusy: boolean;
}

/** Turns of the event loop after which whoever neither asked the database nor ended waits for somebody. */
export const idleTurns = 12;

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Ends when nothing of the store has been under way for a while. */
export async function untilIdle(gate: Gate): Promise<void> {
  for (let turns = 0; turns < idleTurns; turns += 1) {
    if (gate.isBusy) turns = 0;
    await turn();
  }
}

type Query = (...args: unknown[]) => unknown;

/** Puts a gate around the connections of a store on PostgreSQL. */
export async function gateStore(store: Store): Promise<Gate> {
  const pool = await (store.em.getConnection() as unknown as { getNativeClient(): Promise<Pool> }).getNativeClient();
  const held: HeldStatement[] = [];
  const wrapped = new WeakSet<PoolClient>();
  let isClosed = false;
  let rewritten = (text: string) => text;
  let underWay = 0;

  const hold = (client: PoolClient, text: string, run: () => Promise<unknown>): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const statement: HeldStatement = {
      text,
      pid: (client as PoolClient & { readonly processID: number }).processID,
      async release() {
        held.splice(held.indexOf(statement), 1);
        underWay += 1;
        const running = run();
        running.then(resolve, reject);
        const rowCount = await running.then(
          (result) => (result as { readonly rowCount?: number | null }).rowCount ?? undefined,
          () => undefined,
        );
        underWay -= 1;
        return rowCount;
      },
    };
    held.push(statement);
    return promise;
  };

  const pass = (running: Promise<unknown>): Promise<unknown> => {
    underWay += 1;
    return running.finally(() => (underWay -= 1));
  };

  pool.on('acquire', (client) => {
    if (wrapped.has(client)) return;
    wrapped.add(client);
    const query = client.query.bind(client) as Query;
    const gated: Query = (...args) => {
      const [what, ...rest] = args;
      if (typeof what !== 'string' || typeof args.at(-1) === 'function') return query(...args);
      const text = rewritten(what);
      const run = () => query(text, ...rest) as Promise<unknown>;
      return isClosed ? hold(client, text, run) : pass(run());
    };
    client.query = gated as PoolClient['query'];
  });
  countConnects(pool, (change) => (underWay += change));

  return {
    held,
    close: () => void (isClosed = true),
    rewrite: (change) => void (rewritten = change),
    open() {
      isClosed = false;
      while (held[0] !== undefined) void held[0].release();
    },
    get isBusy() {
      return underWay > 0;
    },
  };
}

/** Whoever waits for a connection is under way as well. */
function countConnects(pool: Pool, count: (change: 1 | -1) => void): void {
  const connect = pool.connect.bind(pool) as (...args: unknown[]) => unknown;
  const counted = (...args: unknown[]): unknown => {
    count(1);
    const [callback] = args as [((...given: unknown[]) => unknown)?];
    if (callback !== undefined)
      return connect((...given: unknown[]) => {
        count(-1);
        return callback(...given);
      });
    return (connect() as Promise<unknown>).finally(() => count(-1));
  };
  pool.connect = counted as Pool['connect'];
}
