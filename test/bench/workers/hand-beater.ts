import { Client } from 'pg';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import { run } from './hand-schema.ts';
import type { Beats } from './beater.ts';

export interface HandBeaterParams {
  readonly handUrl: string;
  readonly sessions: readonly string[];
  readonly connections: number;
  /** Sessions that one statement renews. */
  readonly batch: number;
}

/** Renews leases by hand, over some connections, as fast as it goes. */
const job: Job<HandBeaterParams, { readonly beats: number }, Beats> = async (
  { handUrl, sessions, connections, batch },
  { begin, tell },
) => {
  const clients = Array.from({ length: connections }, () => new Client(handUrl));
  await Promise.all(clients.map((client) => client.connect()));
  try {
    const { beats } = await begin();
    const tookMs: number[] = [];
    let begun = 0;
    const goOn = async (client: Client) => {
      while (begun < beats) {
        const from = begun % sessions.length;
        const ids = sessions.slice(from, from + batch);
        begun += ids.length;
        const since = nowMs();
        await run(client, 'beat', [ids]);
        for (const _ of ids) tookMs.push(nowMs() - since);
      }
    };
    await Promise.all(clients.map(goOn));
    tell({ count: tookMs.length, atMs: nowMs(), tookMs });
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
};
export default job;
