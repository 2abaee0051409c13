import { connect } from '@baton/sdk/connection';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import type { Ends } from '../harness/measure-ends.ts';

export interface LockClientParams {
  readonly url: string;
  readonly tokenFile: string;
  readonly name: string;
  readonly key: string;
  readonly pairs: number;
}

const waitMs = 60_000;

/** Takes a lock and gives it back, again and again, over the SDK's connection. Tells at the end. */
const job: Job<LockClientParams, void, Ends> = async ({ url, tokenFile, name, key, pairs }, { begin, tell }) => {
  await using connection = await connect({ url, tokenFile });
  const { client } = connection;
  await client.agent.register({ name, capabilities: ['lock'] });
  await begin();
  for (let pair = 0; pair < pairs; pair += 1) {
    await client.lock.acquire({ keys: [{ key }], waitMs });
    await client.lock.release({ keys: [key] });
  }
  tell({ count: pairs, atMs: nowMs() });
  await client.agent.deregister({});
};
export default job;
