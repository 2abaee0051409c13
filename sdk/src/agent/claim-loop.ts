import { type Claim, type Client, CoordinatorError } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentLog } from './agent-log.ts';
import type { AttemptId } from './attempt-id.ts';
import type { AbortReason } from './outcome.ts';
import type { AttemptEnd, RunningAttempt } from './run-attempt.ts';
import { isSessionGone } from './session-gone.ts';

/** How long a claim waits in the coordinator for work. */
const claimWaitMs = 20_000;
/** How long to leave a coordinator alone that could not answer and did not say how long. */
const claimRetryMs = 1_000;

export interface ClaimLoopParts {
  readonly client: Client;
  readonly capacity: number;
  readonly log: AgentLog;
  readonly start: (claim: Claim) => RunningAttempt;
  readonly onEnded: (claim: Claim, end: AttemptEnd) => void;
  /** Told all that runs whenever that changes. */
  readonly onRunning: (running: readonly AttemptId[]) => void;
  /** Makes the session anew after the coordinator has forgotten it. */
  readonly renewSession: () => Promise<void>;
}

export interface ClaimLoop {
  readonly running: () => readonly AttemptId[];
  /** Ends an attempt that the coordinator has taken away; nothing happens where it is not ours. */
  revoke: (attempt: AttemptId, reason: AbortReason) => void;
  revokeAll: (reason: AbortReason) => void;
  abortAll: (reason: AbortReason) => void;
  /** Settles when nothing runs. */
  idle: () => Promise<unknown>;
  /** Takes nothing new from here on. */
  stop: () => void;
  /** Takes tasks as slots become free, until it is stopped; settles when nothing runs any more. To be called once. */
  run: () => Promise<void>;
}

/** Gives an agent its tasks, never more at once than it has slots. */
export function createClaimLoop({ client, capacity, log, start, onEnded, onRunning, renewSession }: ClaimLoopParts): ClaimLoop {
  const stopped = new AbortController();
  const attempts = new Map<string, RunningAttempt>();
  let wakeUp = () => {};

  const running = () => [...attempts.values()].map(({ claim }) => claim);
  const begin = (claim: Claim) => {
    const key = keyOf(claim);
    if (attempts.has(key)) return;
    const attempt = start(claim);
    attempts.set(key, attempt);
    onRunning(running());
    void attempt.done.then((end) => {
      attempts.delete(key);
      onRunning(running());
      onEnded(claim, end);
      wakeUp();
    });
  };

  const claimOnce = async (free: number) => {
    const { claims } = await client.task.claim({ max: free, waitMs: claimWaitMs }, { signal: stopped.signal });
    claims.forEach(begin);
  };

  const recover = async (failure: unknown) => {
    if (stopped.signal.aborted) return;
    if (isSessionGone(failure)) return renewSession();
    log.warn(`no task could be claimed: ${failure instanceof Error ? failure.message : String(failure)}`);
    const asked = failure instanceof CoordinatorError ? failure.data['retryAfterMs'] : undefined;
    // A stop ends the pause.
    await delay(typeof asked === 'number' ? asked : claimRetryMs, undefined, { signal: stopped.signal }).catch(() => undefined);
  };

  const slotIsFree = () => new Promise<void>((resolve) => (wakeUp = resolve));
  const run = async () => {
    while (!stopped.signal.aborted) {
      const free = capacity - attempts.size;
      try {
        if (free <= 0) await slotIsFree();
        else await claimOnce(free);
      } catch (error) {
        await recover(error);
      }
    }
    while (attempts.size > 0) await slotIsFree();
  };

  return {
    running,
    revoke: (attempt, reason) => attempts.get(keyOf(attempt))?.revoke(reason),
    revokeAll: (reason) => attempts.forEach((attempt) => attempt.revoke(reason)),
    abortAll: (reason) => attempts.forEach((attempt) => attempt.abort(reason)),
    idle: () => Promise.all([...attempts.values()].map(({ done }) => done)),
    stop() {
      stopped.abort();
      wakeUp();
    },
    run,
  };
}

const keyOf = ({ taskId, attempt }: AttemptId) => `${taskId}#${attempt}`;
