import type { PluginLog } from './plugin-log.ts';
import { type HostChild, type JobText, type RunJobOptions, startHostChild } from './host-child.ts';
import { EvidenceTooLarge, evidenceBytesUsual } from './evidence-size.ts';
import type { Isolation, PluginLimits } from './isolation.ts';
import { type HostAnswer, type PluginJob, reasonCharsMax } from './job.ts';
import { createEvidenceDesk } from './shared-evidence.ts';
import { createSlots } from './slots.ts';
import { toText } from './text.ts';

interface RunOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Jobs of one plugin that wait for a thread take turns by this. */
  readonly group?: string | undefined;
}

export interface JobRunner {
  /** Never rejects. Takes at most twice `timeoutMs` and the time to start, and the wait for a thread. */
  run(job: PluginJob, options: RunOptions): Promise<HostAnswer>;
  stop(): Promise<void>;
}

/** Gives jobs to plugin processes, one for each plugin, a thread for each job. A process that has gone is started anew. */
export function createJobRunner(limits: PluginLimits, isolations: ReadonlyMap<string, Isolation>, log: PluginLog): JobRunner {
  const slots = createSlots(limits.threadsMax);
  const stopping = new AbortController();
  const children = new Set<HostChild>();
  const current = new Map<string, HostChild>();
  const desk = createEvidenceDesk(limits.evidenceBytesMax ?? evidenceBytesUsual, (evidence) => {
    for (const child of children) child.drop(evidence);
  });

  function startChild(plugin: string): HostChild {
    const isolation = isolations.get(plugin);
    if (isolation === undefined) throw new Error(`There is no plugin ${plugin}.`);
    const child = startHostChild(isolation, log);
    children.add(child);
    void child.ended.then(() => children.delete(child));
    return child;
  }

  function runTogether(plugin: string, job: JobText, options: RunJobOptions): Promise<HostAnswer> {
    const known = current.get(plugin);
    const child = known?.alive === true ? known : startChild(plugin);
    current.set(plugin, child);
    return child.run(job, options);
  }

  /**
   * When a thread or the process dies, the jobs in it are all suspects: validators of one plugin, that perhaps judge different
   * gates. Each is tried once more in a process of its own: whoever did nothing gets a verdict.
   */
  async function runAlone(plugin: string, job: JobText, options: RunJobOptions): Promise<HostAnswer> {
    const child = startChild(plugin);
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
    async run(job, { timeoutMs, signal: given, group }) {
      const { name: plugin } = job.plugin;
      const signal = given === undefined ? stopping.signal : AbortSignal.any([given, stopping.signal]);
      // Taken before there is a place: the other validators of the gate wait as well, and it is to be written once for all of them.
      const { held, rest } = separate(job);
      const giveBack = await slots.take(plugin, signal, group);
      try {
        if (giveBack === undefined) return { kind: 'cancelled' };
        // The place may have come in the turn in which all was stopped: nobody would end a process that begins now.
        if (signal.aborted) return { kind: 'cancelled' };
        const text: JobText = { job: JSON.stringify(rest), evidence: held?.evidence };
        const answer = await runTogether(plugin, text, { timeoutMs, signal });
        if (answer.kind !== 'died') return answer;
        log.warn({ plugin, verb: job.verb, reason: answer.reason }, 'a plugin thread ended under a job, which is tried once more');
        return signal.aborted ? { kind: 'cancelled' } : await runAlone(plugin, text, { timeoutMs, signal });
      } catch (error) {
        if (error instanceof EvidenceTooLarge) return { kind: 'not_run', code: 'evidence_too_large', message: error.message };
        // Nothing else above is known to throw, but a gate must get its verdict, whatever the job was made of.
        return { kind: 'not_run', code: 'not_run', message: toText(error instanceof Error ? error.message : error, reasonCharsMax) };
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
