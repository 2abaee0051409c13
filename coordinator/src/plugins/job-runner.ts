import type { Log } from '../log.ts';
import { type HostChild, type RunJobOptions, startHostChild } from './host-child.ts';
import { isolate, type PluginLimits } from './isolation.ts';
import type { HostAnswer, PluginJob } from './job.ts';
import { createSlots } from './slots.ts';

export interface JobRunner {
  /** Never rejects. Takes at most twice `timeoutMs`, and the wait for a thread. */
  run(job: PluginJob, options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }): Promise<HostAnswer>;
  stop(): Promise<void>;
}

/** Gives jobs to a shared plugin process, a thread for each, and starts the process anew when it has gone. */
export function createJobRunner(limits: PluginLimits, log: Log): JobRunner {
  const isolation = isolate(limits);
  const slots = createSlots(limits.threadsMax);
  const stopping = new AbortController();
  const children = new Set<HostChild>();
  let shared: HostChild | undefined;

  function startChild(): HostChild {
    const child = startHostChild(isolation, log);
    children.add(child);
    void child.ended.then(() => children.delete(child));
    return child;
  }

  function runShared(text: string, options: RunJobOptions): Promise<HostAnswer> {
    if (shared?.alive !== true) shared = startChild();
    return shared.run(text, options);
  }

  /**
   * When a thread or the process dies, the jobs in it are all suspects. Each is tried once more in a process of its own:
   * whoever did nothing gets a verdict, and whoever did it takes nobody along a second time.
   */
  async function runAlone(text: string, options: RunJobOptions): Promise<HostAnswer> {
    const child = startChild();
    try {
      return await child.run(text, options);
    } finally {
      await child.stop();
    }
  }

  return {
    async run(job, { timeoutMs, signal: given }) {
      const signal = given === undefined ? stopping.signal : AbortSignal.any([given, stopping.signal]);
      const giveBack = await slots.take(signal);
      if (giveBack === undefined) return { kind: 'cancelled' };
      try {
        // The place may have come in the turn in which all was stopped: nobody would end a process that begins now.
        if (signal.aborted) return { kind: 'cancelled' };
        const text = JSON.stringify(job);
        const answer = await runShared(text, { timeoutMs, signal });
        if (answer.kind !== 'died') return answer;
        log.warn(
          { plugin: job.plugin.name, use: job.use, reason: answer.reason },
          'a plugin thread ended under a job, which is tried once more',
        );
        return signal.aborted ? { kind: 'cancelled' } : await runAlone(text, { timeoutMs, signal });
      } catch (error) {
        // Nothing above is known to throw, but a gate must get its verdict, whatever the job was made of.
        return { kind: 'died', reason: error instanceof Error ? error.message : String(error) };
      } finally {
        giveBack();
      }
    },
    async stop() {
      stopping.abort();
      await Promise.all([...children].map((child) => child.stop()));
    },
  };
}
