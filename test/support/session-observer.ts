import { Client } from 'pg';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';

/** How the first attempt of a task ended that was lost with its session. */
export interface LostAttempt {
  readonly wasLeaseOver: boolean;
  /** How many sweeps surely began between the end of the lease and that of the attempt. The one that ends it may be among them. */
  readonly sweepsBetween: number;
}

/** Looks into the database of a coordinator after the leases of sessions, and sets them: how long they last is left to no clock of a test. */
export interface SessionObserver extends AsyncDisposable {
  readonly client: Client;
  /** Gives a session an hour: its agent has no heart, and the test may stand still. */
  keep(sessionId: string): Promise<void>;
  /** Lets the lease of a session end until it has been swept. The coordinator that has heard of it of late leaves that to another. */
  expire(sessionId: string): Promise<void>;
  /** Keeps when sweeps are written down, from now on; the coordinator keeps the last. */
  recordSweeps(): Promise<void>;
  readLostAttempt(taskId: string): Promise<LostAttempt>;
}

export async function observeSessions(databaseUrl: string): Promise<SessionObserver> {
  const client = new Client(databaseUrl);
  await client.connect();
  return {
    client,
    async keep(sessionId) {
      await client.query(`update sessions set lease_until = clock_timestamp() + interval '1 hour' where id = $1`, [sessionId]);
    },
    // A beat from before may be written down meanwhile, and begin another lease.
    expire: (sessionId) =>
      eventually(async () => {
        const { rowCount } = await client.query('update sessions set lease_until = clock_timestamp() where id = $1 and ended_at is null', [
          sessionId,
        ]);
        expect(rowCount).toBe(0);
      }),
    async recordSweeps() {
      await client.query(`create table sweeps (noted_at timestamptz not null default clock_timestamp());
        create function record_sweep() returns trigger language plpgsql as 'begin insert into sweeps default values; return new; end';
        create trigger record_sweep after insert or update on last_sweep for each row execute function record_sweep()`);
    },
    async readLostAttempt(taskId) {
      // Sweeps come one after the other: one has surely begun later than a moment where the one before it was noted later.
      const { rows } = await client.query<LostAttempt>(
        `select n.finished_at >= s.lease_until as "wasLeaseOver",
           (select count(*)::int from (select noted_at, lag(noted_at) over (order by noted_at) as before from sweeps) w
             where w.before >= s.lease_until and w.noted_at < n.finished_at) as "sweepsBetween"
         from attempts n join sessions s on s.id = n.session_id where n.task_id = $1 and n.number = 1`,
        [taskId],
      );
      return rows[0]!;
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
