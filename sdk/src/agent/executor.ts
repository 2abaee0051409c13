import type { Claim, NewContextItem } from '@baton/protocol';
import type { AgentLog } from './agent-log.ts';
import type { TaskOutcome } from './outcome.ts';

export interface AttemptControl {
  /** Aborts with a `TaskAbortedError` when the attempt must stop. */
  readonly signal: AbortSignal;
  /** How long an attempt may take to stop by itself before it is stopped by force. */
  readonly graceMs: number;
  readonly log: AgentLog;
  /** Takes what the task notes as it notes it. It is told with the end of the attempt, whatever that is. */
  readonly note: (item: NewContextItem) => void;
}

/** A way to do tasks: in threads of this process, or with a program. */
export interface Executor {
  /** Does one attempt. Never rejects, and settles soon after `graceMs` once the signal has aborted. */
  execute(claim: Claim, control: AttemptControl): Promise<TaskOutcome>;
  /** A lock of the session is gone. */
  loseLock(key: string, fence: number): void;
  /** Ends at once whatever is still running. */
  close(): Promise<void>;
}
