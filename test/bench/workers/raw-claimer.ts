import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import type { Ends } from '../harness/measure-ends.ts';
import { type Door, openRawClient } from './raw-client.ts';

export interface RawClaimerParams extends Door {
  readonly name: string;
  /** The type of its tasks. */
  readonly type: string;
  /** How many it asks for at once. */
  readonly claimMax: number;
}

interface Claimed {
  readonly claims: readonly { readonly taskId: string; readonly attempt: number }[];
}

const claimWaitMs = 20_000;

/** Claims as many tasks as it may and completes them side by side, without the SDK. Tells how many have ended. */
const job: Job<RawClaimerParams, void, Ends> = async ({ name, type, claimMax, ...door }, { begin, tell, signal }) => {
  const client = await openRawClient(door);
  await client.call('agent/register', { name, capabilities: [type], capacity: claimMax });
  // The claim that waits for work then fails with the connection, which ends the job.
  signal.addEventListener('abort', () => void client.call('agent/deregister', {}).then(client.close), { once: true });
  await begin();
  while (!signal.aborted) {
    const { claims } = await client.call<Claimed>('task/claim', { max: claimMax, waitMs: claimWaitMs });
    const output = { enteredAt: nowMs() };
    await Promise.all(claims.map(({ taskId, attempt }) => client.call('task/complete', { taskId, attempt, output })));
    if (claims.length > 0) tell({ count: claims.length, atMs: nowMs() });
  }
};
export default job;
