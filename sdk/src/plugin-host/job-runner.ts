import type { PluginLog } from './plugin-log.ts';
import { type HostChild, type JobText, type RunJobOptions, startHostChild } from './host-child.ts';
import type { Isolation, Isolations, PluginLimits } from './isolation.ts';
import type { HostAnswer, PluginJob } from './job.ts';
import { createEvidenceDesk } from './shared-evidence.ts';
import { createSlots } from './slots.ts';

export interface JobRunner {
  /** Never rejects. Takes at most twice `timeoutMs`, and the wait for a thread. */
  run(job: PluginJob, options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }): Promise<HostAnswer>;
  stop(): Promise<void>;
}

/**
 * Gives jobs to plugin processes, a thread for each job: one process for the plugins that only look, one for those that may run
 * programs. A process that has gone is started anew.
 */
export function createJobRunner(limits: PluginLimits, { strict, programs }: Isolations, log: PluginLog): JobRunner {
  const isolationOf = ({ plugin }: JobText): Isolation => (Object.hasOwn(programs.settings.threadArgv, plugin) ? programs : strict);
  const slots = createSlots(limits.threadsMax);
  const stopping = new AbortController();
  const children = new Set<HostChild>();
  const shared = new Map<Isolation, HostChild>();
  const desk = createEvidenceDesk((evidence) => {
    for (const child of children) child.drop(evidence);
  });

  function startChild(isolation: Isolation): HostChild {
    const child = startHostChild(isolation, log);
    children.add(child);
    void child.ended.then(() => children.delete(child));
    return child;
  }

  function runShared(job: JobText, options: RunJobOptions): Promise<HostAnswer> {
    const isolation = isolationOf(job);
    const known = shared.get(isolation);
    const child = known?.alive === true ? known : startChild(isolation);
    shared.set(isolation, child);
    return child.run(job, options);
  }

  /**
   * When a thread or the process dies, the jobs in it are all suspects. Each is tried once more in a process of its own:
   * whoever did nothing gets a verdict, and whoever did it takes nobody along a second time.
   */
  async function runAlone(job: JobText, options: RunJobOptions): Promise<HostAnswer> {
    const child = startChild(isolationOf(job));
    try {
      return await child.run(job, options);
    } finally {
      await child.stop();
    }
  }

  function separate(job: PluginJob) {
    if (job.verb !== 'validate') return { held: undefined, rest: job };
    const { artifacts, facts, ...rest } = job;
    return { held: desk.take({ artifacts, facts }), rest };
  }

  return {
    async run(job, { timeoutMs, signal: given }) {
      const signal = given === undefined ? stopping.signal : AbortSignal.any([given, stopping.signal]);
      // Taken before there is a place: the other validators of the gate wait as well, and it is to be written once for all of them.
      const { held, rest } = separate(job);
      const giveBack = await slots.take(signal);
      try {
        if (giveBack === undefined) return { kind: 'cancelled' };
        // The place may have come in the turn in which all was stopped: nobody would end a process that begins now.
        if (signal.aborted) return { kind: 'cancelled' };
        const text: JobText = { plugin: job.plugin.name, job: JSON.stringify(rest), evidence: held?.evidence };
        const answer = await runShared(text, { timeoutMs, signal });
        if (answer.kind !== 'died') return answer;
        log.warn(
          { plugin: job.plugin.name, verb: job.verb, reason: answer.reason },
          'a plugin thread ended under a job, which is tried once more',
        );
        return signal.aborted ? { kind: 'cancelled' } : await runAlone(text, { timeoutMs, signal });
      } catch (error) {
        // Nothing above is known to throw, but a gate must get its verdict, whatever the job was made of.
        return { kind: 'died', reason: error instanceof Error ? error.message : String(error) };
      } finally {
        giveBack?.();
        held?.giveBack();
      }
    },
    async stop() {
      stopping.abort();
      await Promise.all([...children].map((child) => child.stop()));
    },
  };
}
