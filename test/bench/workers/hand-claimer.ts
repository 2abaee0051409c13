import { Client } from 'pg';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import type { Ends } from '../harness/measure-ends.ts';
import { run } from './hand-schema.ts';

export interface HandClaimerParams {
  readonly handUrl: string;
  readonly name: string;
  readonly batch: number;
}

/** Claims and completes with statements written by hand until nothing is left, in transactions of one statement each. */
const job: Job<HandClaimerParams, void, Ends> = async ({ handUrl, name, batch }, { begin, tell }) => {
  const client = new Client(handUrl);
  await client.connect();
  try {
    await begin();
    for (;;) {
      const claimed = await run<{ id: string }>(client, 'claim', [name, batch]);
      if (claimed.length === 0) return;
      const completed = await run(client, 'complete', [claimed.map(({ id }) => id), name]);
      tell({ count: completed.length, atMs: nowMs() });
    }
  } finally {
    await client.end();
  }
};
export default job;
