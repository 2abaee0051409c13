export interface HeartbeatParts {
  /** How long until the first beat; each answer says how long until the next. */
  readonly heartbeatMs: number;
  /** Sends one beat. It is given up when the next is due. */
  readonly beat: (signal: AbortSignal) => Promise<{ readonly heartbeatMs: number }>;
  readonly onError: (error: unknown) => void;
}

/**
 * Beats until it is stopped, at the pace that the coordinator dictates, whatever becomes of single beats. A beat that gets no
 * answer by the time the next is due counts as failed.
 */
export function startHeartbeat({ heartbeatMs, beat, onError }: HeartbeatParts): { readonly stop: () => void } {
  const stopped = new AbortController();
  let intervalMs = heartbeatMs;
  let timer: NodeJS.Timeout;

  const schedule = (afterMs: number) => {
    timer = setTimeout(() => void beatOnce(), afterMs);
  };
  const beatOnce = async () => {
    const beganAt = performance.now();
    const overdue = AbortSignal.timeout(intervalMs);
    try {
      ({ heartbeatMs: intervalMs } = await beat(AbortSignal.any([overdue, stopped.signal])));
    } catch (error) {
      if (!stopped.signal.aborted) onError(error);
    }
    // From beat to beat: three fit into the lease, however long their answers take.
    if (!stopped.signal.aborted) schedule(Math.max(0, beganAt + intervalMs - performance.now()));
  };
  schedule(intervalMs);
  return {
    stop() {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}
