import type { MessagePort } from 'node:worker_threads';
import type { EndReason, PluginJob } from './job.ts';
import { loadPlugin } from './load-plugin.ts';
import type { ThreadAnswer } from './outcome.ts';
import { runSummarizer } from './run-summarizer.ts';
import { type RunOptions, runValidator } from './run-validator.ts';
import { toText } from './text.ts';

export interface ThreadTask {
  /** A `PluginJob` in JSON. */
  readonly job: string;
  readonly bytesMax: number;
  /** Tells the job to stop, before the thread is ended under it. */
  readonly port: MessagePort;
}

/** The entry of a plugin thread. Answers a `ThreadAnswer` in JSON: an error would lose its class on the way out, and text has a size. */
export default async function runJob({ job, bytesMax, port }: ThreadTask): Promise<string> {
  const ending = new AbortController();
  port.on('message', (reason: EndReason) => ending.abort(endErrors[reason]()));
  try {
    const answer = JSON.stringify(await perform(JSON.parse(job), { signal: ending.signal, bytesMax }));
    return Buffer.byteLength(answer) <= bytesMax ? answer : JSON.stringify(tooLarge);
  } catch (error) {
    return JSON.stringify(describe(error));
  } finally {
    port.close();
  }
}

const endErrors = {
  timed_out: () => new DOMException('The time for this job is over.', 'TimeoutError'),
  cancelled: () => new DOMException('The job was cancelled.', 'AbortError'),
} satisfies Record<EndReason, () => Error>;

async function perform(job: PluginJob, options: RunOptions): Promise<ThreadAnswer> {
  const plugin = await loadPlugin(job.plugin);
  if (job.verb === 'validate') {
    const validator = plugin.validators.find(({ name }) => name === job.use);
    return validator === undefined ? notOffered(job) : runValidator(validator, job, options);
  }
  const summarizer = plugin.summarizers.find(({ name }) => name === job.use);
  return summarizer === undefined ? notOffered(job) : runSummarizer(summarizer, job, options);
}

const refuse = (code: string, message: string): ThreadAnswer => ({ kind: 'refused', findings: [{ severity: 'fail', code, message }] });

const tooLarge = refuse('answer_too_large', 'The answer is larger than allowed.');

const notOffered = ({ plugin, use }: PluginJob): ThreadAnswer =>
  refuse('not_offered', `The package.json of ${plugin.name} promises ${use}, but its code does not offer it.`);

/** Anything can be thrown. */
function describe(error: unknown): ThreadAnswer {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: error };
  return { kind: 'threw', name: toText(name, 128), message: toText(message, 4_000) };
}
