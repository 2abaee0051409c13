import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import type { Ends } from '../harness/measure-ends.ts';
import { run } from './hand-schema.ts';

export interface HandLockerParams {
  readonly handUrl: string;
  readonly name: string;
  readonly key: string;
  readonly pairs: number;
  /** In a table of locks with fences, or by the server's advisory locks, which have none and write nothing. */
  readonly kind: 'table' | 'advisory';
}

/** How long somebody waits who finds the lock taken: nothing tells him when it is free. */
const tryAgainMs = 1;

/** Takes a lock and gives it back, again and again, with statements written by hand. Tells at the end. */
const job: Job<HandLockerParams, void, Ends> = async ({ handUrl, name, key, pairs, kind }, { begin, tell }) => {
  const client = new Client(handUrl);
  await client.connect();
  try {
    const pair = kind === 'table' ? () => takeRow(client, key, name) : () => takeAdvisory(client, key);
    await begin();
    for (let done = 0; done < pairs; done += 1) await pair();
    tell({ count: pairs, atMs: nowMs() });
  } finally {
    await client.end();
  }
};
export default job;

async function takeRow(client: Client, key: string, name: string): Promise<void> {
  let [held] = await run<{ fence: string }>(client, 'acquire', [key, name]);
  while (held === undefined) {
    await pause(tryAgainMs);
    [held] = await run<{ fence: string }>(client, 'acquire', [key, name]);
  }
  await run(client, 'release', [key, name, held.fence]);
}

async function takeAdvisory(client: Client, key: string): Promise<void> {
  await run(client, 'advisoryLock', [key]);
  await run(client, 'advisoryUnlock', [key]);
}
