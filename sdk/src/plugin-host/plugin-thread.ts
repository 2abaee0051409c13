import type { MessagePort } from 'node:worker_threads';
import type { EndReason, PluginJob, SummarizeJob, ValidateJob } from './job.ts';
import { loadPlugin } from './load-plugin.ts';
import type { ThreadAnswer } from './outcome.ts';
import { describeOffers } from './describe-offers.ts';
import { describeThrown } from './describe-thrown.ts';
import { watchIntrinsics } from './intrinsics.ts';
import { createEvidenceReader, type NumberedEvidence } from './read-evidence.ts';
import { runSummarizer } from './run-summarizer.ts';
import { type RunOptions, runValidator } from './run-validator.ts';

export interface ThreadTask {
  /** A `PluginJob` in JSON, but for its evidence. */
  readonly job: string;
  /** The artifacts and facts of a `ValidateJob`. */
  readonly evidence: NumberedEvidence | undefined;
  readonly bytesMax: number;
  /** Says one way that the plugin's code is asked, from where on its time counts, and the other way that it has to stop. */
  readonly port: MessagePort;
}

/** The entry of a plugin thread. Answers a `ThreadAnswer` in JSON: an error would lose its class on the way out, and text has a size. */
export default async function runJob({ job, evidence, bytesMax, port }: ThreadTask): Promise<string> {
  // A job before this one has spoilt the thread, which is about to end: this one is tried again elsewhere.
  if (!isUntouched()) exit(1);
  const ending = new AbortController();
  port.on('message', (reason: EndReason) => ending.abort(endErrors[reason]()));
  let isSpoilt = false;
  // The other side closes it when it has the answer: a thread that ends at once may take its answer along.
  port.on('close', () => {
    if (isSpoilt) exit(1);
  });

  const whole = { ...JSON.parse(job), ...(evidence !== undefined && readEvidence(evidence)) } as PluginJob;
  const begin = () => port.postMessage('begun');
  const answer = await perform(whole, { signal: ending.signal, bytesMax, begin }).catch((error: unknown) =>
    describeThrown(error, whole.plugin.packageFile),
  );
  if (!isUntouched()) {
    isSpoilt = true;
    return pollution;
  }
  const text = JSON.stringify(answer);
  return Buffer.byteLength(text) <= bytesMax ? text : JSON.stringify(tooLarge);
}

function refuse(code: string, message: string): ThreadAnswer {
  return { kind: 'refused', findings: [{ severity: 'fail', code, message }] };
}

// Before any plugin is loaded.
const isUntouched = watchIntrinsics();
const readEvidence = createEvidenceReader();
const pollution = JSON.stringify({
  kind: 'misbehaved',
  code: 'polluted',
  message: 'It changed what all objects of its thread share, such as Object.prototype.',
} satisfies ThreadAnswer);
const exit = process.exit.bind(process);

const endErrors = {
  timed_out: () => new DOMException('The time for this job is over.', 'TimeoutError'),
  cancelled: () => new DOMException('The job was cancelled.', 'AbortError'),
} satisfies Record<EndReason, () => Error>;

async function perform(job: PluginJob, { begin, ...options }: RunOptions & { begin(): void }): Promise<ThreadAnswer> {
  const plugin = await loadPlugin(job.plugin);
  begin();
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
