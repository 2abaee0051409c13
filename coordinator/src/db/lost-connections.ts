import type { Pool, PoolClient } from 'pg';

/**
 * Gives the place of a connection that is lost while it is lent back to the pool. Kysely returns the connection of a
 * transaction only once it has been rolled back, and one that is lost cannot be.
 */
export function freeLostConnections(pool: Pool): void {
  const lent = new Set<PoolClient>();
  pool.on('acquire', (client) => void lent.add(client));
  pool.on('release', (_error, client) => void lent.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => {
      if (!lent.has(client)) return;
      client.release(true);
      // Whoever has it still may return it once more, and the pool takes that for a mistake.
      client.release = () => undefined;
    });
  });
}
