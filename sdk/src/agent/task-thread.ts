import { type Claim, createClient } from '@baton/protocol';
import type { MessagePort } from 'node:worker_threads';
import type { AttemptContext } from './create-task-context.ts';
import { loadAgent } from './load-agent.ts';
import { failedOutcome, type TaskOutcome } from './outcome.ts';
import { runTask } from './run-task.ts';
import { TaskAbortedError } from './task-errors.ts';
import { openThreadEnd } from './thread-port.ts';

export interface ThreadRequest {
  readonly moduleUrl: string;
  readonly claim: Claim;
  readonly workspace: string | undefined;
  readonly port: MessagePort;
}

/** The entry of a worker thread: does one attempt with the agent's module, which each thread loads once. */
export default async function runInThread({ moduleUrl, claim, workspace, port }: ThreadRequest): Promise<TaskOutcome> {
  const abort = new AbortController();
  let context: AttemptContext | undefined;
  const { send, log, note } = openThreadEnd(port, (order) => {
    if (order.kind === 'abort') abort.abort(new TaskAbortedError(order.reason));
    else context?.loseLock(order.key, order.fence);
  });
  try {
    const { tasks } = await loadAgent(moduleUrl);
    return await runTask({
      tasks,
      claim,
      client: createClient(send),
      signal: abort.signal,
      workspace,
      log,
      note,
      onContext: (made) => (context = made),
    });
  } catch (error) {
    return failedOutcome('agent_module_failed', error instanceof Error ? error.message : String(error), { permanent: true });
  } finally {
    port.close();
  }
}
