import { clip } from './outcome.ts';

export interface ProgressReport {
  readonly percentage?: number;
  readonly message?: string;
}

/**
 * Sends reports one at a time. While one is under way only the newest of those that follow is kept, so that a task which
 * reports in a loop costs no more than the connection takes.
 */
export function createProgressSender(send: (report: ProgressReport) => Promise<unknown>): (percentage: number, message?: string) => void {
  let waiting: ProgressReport | undefined;
  let sending = false;

  const sendAll = async () => {
    sending = true;
    while (waiting !== undefined) {
      const report = waiting;
      waiting = undefined;
      // A lost report is no reason to fail the work that it reports on: a stale attempt is told through its signal.
      await send(report).catch(() => undefined);
    }
    sending = false;
  };

  return (percentage, message) => {
    waiting = {
      ...(Number.isFinite(percentage) ? { percentage: Math.min(100, Math.max(0, percentage)) } : {}),
      ...(message === undefined ? {} : { message: clip(message, 1_000) }),
    };
    if (!sending) void sendAll();
  };
}
