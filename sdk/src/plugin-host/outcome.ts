import { type Finding, finding, type Verdict } from '@baton/protocol';
import { type PluginManifest, pluginManifest } from '../plugin/index.ts';
import { z } from 'zod';
import { cutText, toStorable } from '../connection/storable-text.ts';
import type { HostAnswer } from './job.ts';

export interface ValidateOutcome {
  readonly outcome: Verdict['outcome'];
  readonly findings: Finding[];
}
export type DescribeOutcome =
  | { readonly outcome: 'ok'; readonly offers: PluginManifest }
  | { readonly outcome: 'error' | 'timeout'; readonly message: string };
export type SummarizeOutcome =
  | { readonly outcome: 'ok'; readonly text: string; readonly citations: string[] }
  | { readonly outcome: 'error' | 'timeout'; readonly message: string };

/** Of one verdict. */
export const findingsMax = 100;
const findings = z.array(finding).max(findingsMax);

/** What a thread says of its job. The thread ran foreign code: its answer is checked like a stranger's. */
export const threadAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('judged'), findings, skipped: z.string().max(4_000).optional() }),
  z.object({ kind: z.literal('summarized'), text: z.string(), citations: z.array(z.string().max(128)) }),
  z.object({ kind: z.literal('described'), offers: pluginManifest }),
  /** The job could not be done as it was asked for: a configuration that does not fit, a name that is not there. */
  z.object({ kind: z.literal('refused'), findings }),
  /** It did what no plugin may do, and its answer is worth nothing. */
  z.object({ kind: z.literal('misbehaved'), code: z.enum(['polluted', 'answer_too_large']), message: z.string().max(4_000) }),
  z.object({
    kind: z.literal('threw'),
    name: z.string().max(128),
    message: z.string().max(4_000),
    /** Where in its own files. */
    path: z.string().max(1_024).optional(),
    line: z.int().min(1).optional(),
  }),
]);
export type ThreadAnswer = z.infer<typeof threadAnswer>;

/** A pass is said in one place only: by a validator that ran to its end, reported no `fail` and did not skip. */
export function toVerdict(answer: HostAnswer, timeoutMs: number): ValidateOutcome {
  const said = readAnswer(answer, timeoutMs);
  switch (said.kind) {
    case 'judged':
      if (said.findings.some(({ severity }) => severity === 'fail')) return { outcome: 'fail', findings: said.findings };
      if (said.skipped === undefined) return { outcome: 'pass', findings: said.findings };
      return {
        outcome: 'skipped',
        findings: [...said.findings.slice(0, findingsMax - 1), { severity: 'info', code: 'skipped', message: said.skipped }],
      };
    case 'problem':
      return { outcome: said.outcome, findings: said.findings };
    case 'summarized':
    case 'described':
      return { outcome: 'error', findings: [problem('answer_invalid', `The validator answered with something ${said.kind}.`)] };
  }
}

export function toSummary(answer: HostAnswer, timeoutMs: number): SummarizeOutcome {
  const said = readAnswer(answer, timeoutMs);
  switch (said.kind) {
    case 'summarized':
      return { outcome: 'ok', text: said.text, citations: said.citations };
    case 'problem':
      return toMessage(said);
    case 'judged':
    case 'described':
      return { outcome: 'error', message: `The summarizer answered with something ${said.kind}.` };
  }
}

export function toDescription(answer: HostAnswer, timeoutMs: number): DescribeOutcome {
  const said = readAnswer(answer, timeoutMs);
  if (said.kind === 'described') return { outcome: 'ok', offers: said.offers };
  return said.kind === 'problem' ? toMessage(said) : { outcome: 'error', message: `The plugin answered with something ${said.kind}.` };
}

const toMessage = ({ outcome, findings }: Extract<Said, { kind: 'problem' }>) => ({
  outcome,
  message: findings.map(({ message }) => message).join(' '),
});

/**
 * What an answer shows of harm that a plugin did to what it runs in; undefined where it did none, whatever its verdict is.
 * Whoever gives a plugin less than its usual time has nobody to blame.
 */
export function harmOf(answer: HostAnswer, { hadItsTime }: { readonly hadItsTime: boolean }): string | undefined {
  switch (answer.kind) {
    case 'died':
      return `it ended its thread or process: ${answer.reason}`;
    case 'too_large':
      return 'its answer was larger than allowed';
    case 'timed_out':
      return answer.forced === true && hadItsTime ? 'it went on after its time was over' : undefined;
    case 'cancelled':
      // Whoever asked has gone; that is not the plugin's doing.
      return undefined;
    case 'not_run':
      return undefined;
    case 'answered': {
      const said = threadAnswer.safeParse(parseJson(answer.text));
      if (!said.success) return 'its answer was none that a plugin thread gives';
      return said.data.kind === 'misbehaved' ? said.data.message : undefined;
    }
  }
}

type Said =
  | Extract<ThreadAnswer, { kind: 'judged' | 'summarized' | 'described' }>
  | { readonly kind: 'problem'; readonly outcome: 'error' | 'timeout'; readonly findings: Finding[] };

function readAnswer(answer: HostAnswer, timeoutMs: number): Said {
  switch (answer.kind) {
    case 'answered':
      return readThreadAnswer(answer.text);
    case 'timed_out':
      return {
        kind: 'problem',
        outcome: 'timeout',
        findings: [problem('timed_out', `It was ended after ${timeoutMs} ms without an answer.`)],
      };
    case 'cancelled':
      return failure('cancelled', 'It was stopped before it had an answer.');
    case 'died':
      return failure('crashed', `It ended its thread or process: ${answer.reason}`);
    case 'too_large':
      return failure('answer_too_large', 'Its answer is larger than allowed.');
    case 'not_run':
      return failure(answer.code, answer.message);
  }
}

function readThreadAnswer(text: string): Said {
  const answer = threadAnswer.safeParse(parseJson(text));
  if (!answer.success) return failure('answer_invalid', 'Its answer is not one that a plugin thread gives.');
  const said = answer.data;
  if (said.kind === 'refused') return { kind: 'problem', outcome: 'error', findings: said.findings };
  if (said.kind === 'misbehaved') return failure(said.code, said.message);
  if (said.kind !== 'threw') return said;
  // What `AbortSignal.timeout` and our own signal throw: the plugin gave up in time, which is not a crash.
  if (said.name === 'TimeoutError') return { kind: 'problem', outcome: 'timeout', findings: [problem('timed_out', said.message)] };
  const { name, message, path, line } = said;
  return {
    kind: 'problem',
    outcome: 'error',
    findings: [{ ...problem('threw', `${name}: ${message}`), ...(path !== undefined && { path }), ...(line !== undefined && { line }) }],
  };
}

/** Undefined where the text is not JSON, which fits no answer. What is said is stored with the verdict, whatever its characters are. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? toStorable(value) : value));
  } catch {
    return undefined;
  }
}

const failure = (code: string, message: string): Said => ({ kind: 'problem', outcome: 'error', findings: [problem(code, message)] });

const problem = (code: string, message: string): Finding => ({ severity: 'fail', code, message: cutText(message, 4_000) });

const severities = ['fail', 'warn', 'info'] as const;

/** Cuts findings to what a verdict may hold. The first of each severity is kept, then what holds the gate; what is left out is counted. */
export function boundFindings(findings: readonly Finding[], { bytesMax, omitted = 0 }: { bytesMax: number; omitted?: number }): Finding[] {
  // The last place is for the count, and so are its bytes and those of the frame around.
  let bytesLeft = bytesMax - 400;
  const kept = new Set<Finding>();
  const groups = severities.map((severity) => findings.filter((one) => one.severity === severity));
  const ranked = [...groups.flatMap((group) => group.slice(0, 1)), ...groups.flatMap((group) => group.slice(1))];
  for (const one of ranked) {
    bytesLeft -= Buffer.byteLength(JSON.stringify(one)) + 1;
    if (kept.size === findingsMax - 1 || bytesLeft < 0) break;
    kept.add(one);
  }
  const bounded = findings.filter((one) => kept.has(one));
  const left = findings.length - bounded.length + omitted;
  if (left === 0) return bounded;
  // Findings of little weight are left out first: if even a `fail` had no place, the count speaks for it.
  const severity = ranked[kept.size]?.severity === 'fail' ? 'fail' : 'info';
  return [...bounded, { severity, code: 'findings_omitted', message: `${left} more findings were left out.` }];
}
