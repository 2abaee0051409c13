import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Database } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import { createLoop, type Loop } from './loop.ts';

export interface HouseKeeperParts {
  readonly db: Database;
  readonly idempotencyTtlMs: number;
  readonly log: Log;
}

const intervalMs = 60_000;

/** How many keys one statement forgets: few enough that it ends in time on a slow machine. */
const forgottenMax = 5_000;

/** Forgets idempotency keys that nobody will send again. */
export function createHouseKeeper({ db, idempotencyTtlMs, log }: HouseKeeperParts): Loop {
  return createLoop({
    name: 'house keeper',
    intervalMs,
    log,
    async run(signal) {
      for (let forgotten = forgottenMax; forgotten === forgottenMax && !signal.aborted;)
        forgotten = (
          await rowsOf(
            db.em.fork(),
            sql`delete from idempotency_keys where ctid = any(array(
                  select ctid from idempotency_keys where created_at < clock_timestamp() - ${idempotencyTtlMs} * interval '1 millisecond'
                  limit ${forgottenMax})) returning 1`,
          )
        ).length;
    },
  });
}
