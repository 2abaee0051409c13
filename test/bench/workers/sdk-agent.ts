import { runAgent } from '@baton/sdk';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import type { Ends } from '../harness/measure-ends.ts';

export interface SdkAgentParams {
  readonly url: string;
  readonly tokenFile: string;
  readonly name: string;
  readonly capacity: number;
}

/** An agent of the SDK, with tasks that do nothing. Tells how many have ended since it told last. */
const job: Job<SdkAgentParams, void, Ends> = async ({ url, tokenFile, name, capacity }, { begin, tell, signal }) => {
  await begin();
  let count = 0;
  await runAgent(new URL('noop-agent.ts', import.meta.url), {
    url,
    tokenFile,
    name,
    capacity,
    signal,
    watchProcess: false,
    onActivity(activity) {
      if (activity.kind !== 'ended') return;
      if (activity.end !== 'completed') throw new Error(`A task that does nothing was ${activity.end}.`);
      count += 1;
      // What ends in one turn of the event loop is told at once.
      if (count > 1) return;
      setImmediate(() => {
        tell({ count, atMs: nowMs() });
        count = 0;
      });
    },
  });
};
export default job;
