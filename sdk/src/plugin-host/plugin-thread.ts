import type { MessagePort } from 'node:worker_threads';
import type { EndReason, PluginJob, SummarizeJob, ValidateJob } from './job.ts';
import { loadPlugin } from './load-plugin.ts';
import type { ThreadAnswer } from './outcome.ts';
import { describeOffers } from './describe-offers.ts';
import { describeThrown } from './describe-thrown.ts';
import { watchIntrinsics } from './intrinsics.ts';
import { runSummarizer } from './run-summarizer.ts';
import { type RunOptions, runValidator } from './run-validator.ts';

export interface ThreadTask {
  /** A `PluginJob` in JSON, but for its evidence. */
  readonly job: string;
  /** The artifacts and facts of a `ValidateJob`, in JSON. Read anew for each job: what one validator changes no other sees. */
  readonly evidence: Uint8Array | undefined;
  readonly bytesMax: number;
  /** Tells the job to stop, before the thread is ended under it. */
  readonly port: MessagePort;
}

/** The entry of a plugin thread. Answers a `ThreadAnswer` in JSON: an error would lose its class on the way out, and text has a size. */
export default async function runJob({ job, evidence, bytesMax, port }: ThreadTask): Promise<string> {
  // A job before this one has spoilt the thread, which is about to end: this one is tried again elsewhere.
  if (!isUntouched()) exit(1);
  const ending = new AbortController();
  port.on('message', (reason: EndReason) => ending.abort(endErrors[reason]()));
  try {
    const whole = { ...JSON.parse(job), ...(evidence !== undefined && JSON.parse(readText(evidence))) } as PluginJob;
    const answer = await perform(whole, { signal: ending.signal, bytesMax }).catch((error: unknown) =>
      describeThrown(error, whole.plugin.packageFile),
    );
    if (!isUntouched()) return refusePolluter();
    const text = JSON.stringify(answer);
    return Buffer.byteLength(text) <= bytesMax ? text : JSON.stringify(tooLarge);
  } finally {
    port.close();
  }
}

const readText = ({ buffer, byteOffset, length }: Uint8Array): string => Buffer.from(buffer, byteOffset, length).toString();

function refuse(code: string, message: string): ThreadAnswer {
  return { kind: 'refused', findings: [{ severity: 'fail', code, message }] };
}

// Before any plugin is loaded.
const isUntouched = watchIntrinsics();
const pollution = JSON.stringify({
  kind: 'misbehaved',
  code: 'polluted',
  message: 'It changed what all objects of its thread share, such as Object.prototype.',
} satisfies ThreadAnswer);
const exit = process.exit.bind(process);

/** The answer is worth nothing, and neither is the thread: it ends as soon as this has been said. */
function refusePolluter(): string {
  setImmediate(exit, 1);
  return pollution;
}

const endErrors = {
  timed_out: () => new DOMException('The time for this job is over.', 'TimeoutError'),
  cancelled: () => new DOMException('The job was cancelled.', 'AbortError'),
} satisfies Record<EndReason, () => Error>;

async function perform(job: PluginJob, options: RunOptions): Promise<ThreadAnswer> {
  const plugin = await loadPlugin(job.plugin);
  if (job.verb === 'describe') return describeOffers(plugin);
  if (job.verb === 'validate') {
    const validator = plugin.validators.find(({ name }) => name === job.use);
    return validator === undefined ? notOffered(job) : runValidator(validator, job, options);
  }
  const summarizer = plugin.summarizers.find(({ name }) => name === job.use);
  return summarizer === undefined ? notOffered(job) : runSummarizer(summarizer, job, options);
}

const tooLarge: ThreadAnswer = { kind: 'misbehaved', code: 'answer_too_large', message: 'Its answer is larger than allowed.' };

const notOffered = ({ plugin, use }: ValidateJob | SummarizeJob): ThreadAnswer =>
  refuse('not_offered', `The package.json of ${plugin.name} promises ${use}, but its code does not offer it.`);
