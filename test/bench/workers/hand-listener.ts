import { Client } from 'pg';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import { run } from './hand-schema.ts';

export interface EnteredTask {
  readonly enteredAt: number;
}

/** Waits for a NOTIFY, claims one task by hand and completes it. Tells when it had it. */
const job: Job<{ readonly handUrl: string }, void, EnteredTask> = async ({ handUrl }, { begin, tell, signal }) => {
  const client = new Client(handUrl);
  await client.connect();
  await client.query('listen tasks');
  const take = async () => {
    const claimed = await run<{ id: string }>(client, 'claim', ['listener', 1]);
    const enteredAt = nowMs();
    await run(client, 'complete', [claimed.map(({ id }) => id), 'listener']);
    tell({ enteredAt });
  };
  client.on('notification', () => void take());
  await begin();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await client.end();
};
export default job;
