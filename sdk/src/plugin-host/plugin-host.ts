import type { ArtifactWithContent, ContextItem, Finding, JsonObject, Verdict } from '@baton/protocol';
import { findSummaryFault, type GateFacts } from '../plugin/index.ts';
import { countTokens } from './count-tokens.ts';
import { describeTooLarge, evidenceBytesUsual } from './evidence-size.ts';
import type { PluginLog } from './plugin-log.ts';
import { PluginSetupError } from './plugin-setup-error.ts';
import { isolate, type PluginLimits, type Sandbox } from './isolation.ts';
import type { HostAnswer, SummarizeJob, ValidateJob } from './job.ts';
import { createJobRunner } from './job-runner.ts';
import { harmOf, type SummarizeOutcome, toSummary, toVerdict } from './outcome.ts';
import { type PluginInfo, type ReadPlugin, readPlugins } from './read-plugins.ts';
import { createStrikes, type SwitchedOff } from './strikes.ts';

export type { PluginInfo, PluginLimits, SummarizeOutcome };

interface RunOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

interface UseOptions {
  /** The name of the validator or summarizer. */
  readonly use: string;
  readonly config: JsonObject;
  /** From the moment it runs; waiting for a thread does not count. Without one the limit of the host. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface ValidateOptions extends UseOptions {
  readonly artifacts: readonly ArtifactWithContent[];
  readonly facts: GateFacts;
}
export interface SummarizeOptions extends UseOptions {
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
}
export interface ValidatorVerdict {
  readonly outcome: Verdict['outcome'];
  readonly findings: Finding[];
  readonly durationMs: number;
}

/** The plugins of a coordinator. Their code runs in another process, which is started when it is first needed. */
export interface PluginHost {
  /** From the manifests; runs no plugin. */
  list(): (PluginInfo & { readonly offBecause?: string })[];
  /** Lets a plugin that was switched off run again. */
  switchOn(name: string): void;
  onSwitchedOff(listener: (off: SwitchedOff) => void): void;
  hasValidator(name: string): boolean;
  hasSummarizer(name: string): boolean;
  /** Never rejects and always ends: whatever a plugin does is its verdict, and only a clean run without a `fail` is a pass. */
  validate(options: ValidateOptions): Promise<ValidatorVerdict>;
  /** The verdict of every validator on evidence that is too large to be shown, by what its contents take; undefined for all other. */
  refuseEvidence(contentBytes: number): ValidatorVerdict | undefined;
  /** Never rejects and always ends. A summary that breaks a promise (see `findSummaryFault`) is an error that names it. */
  summarize(options: SummarizeOptions): Promise<SummarizeOutcome>;
  /** Ends what runs and the processes. What is asked for later is answered with an error. */
  stop(): Promise<void>;
}

export interface PluginHostOptions {
  /** Packages, resolved from `bases` and then from `cwd`, or paths, which start with `./`, `../` or `/`. */
  readonly plugins: readonly string[];
  readonly log: PluginLog;
  readonly limits: PluginLimits;
  /** Hears of every verdict, for measuring. */
  readonly metrics?: { recordValidator(name: string, outcome: Verdict['outcome'], durationMs: number): void };
  /** Where packages are looked for first: addresses of files. */
  readonly bases?: readonly string[];
  readonly cwd?: string;
  /** The names of the plugins that may run programs, if they ask for it. */
  readonly mayRunPrograms?: readonly string[];
  readonly sandbox?: Sandbox;
}

/** Reads the manifests. Throws a `PluginSetupError` when a plugin is not there or not for this coordinator. */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  const { plugins: names, log, limits, metrics, mayRunPrograms = [], sandbox, bases = [], cwd = process.cwd() } = options;
  const plugins = await readPlugins(names, { cwd, bases });
  refusePrograms(plugins, mayRunPrograms);
  const validators = indexOffers(plugins, 'validators');
  const summarizers = indexOffers(plugins, 'summarizers');
  const jobs = createJobRunner(limits, isolate(limits, plugins, sandbox), log);

  const strikes = createStrikes();
  const listeners = new Set<(off: SwitchedOff) => void>();

  const describeOff = (plugin: string): string | undefined => {
    const reason = strikes.offBecause(plugin);
    return reason === undefined ? undefined : `The plugin ${plugin} is switched off: ${reason}`;
  };

  async function run(job: ValidateJob | SummarizeJob, options: RunOptions): Promise<HostAnswer> {
    const answer = await jobs.run(job, options);
    const { name: plugin } = job.plugin;
    const use = { plugin, verb: job.verb, use: job.use };
    const reason = harmOf(answer, { hadItsTime: options.timeoutMs >= limits.timeoutMs });
    // Only a run that came to its own end shows that it can behave.
    if (reason === undefined && answer.kind === 'answered') strikes.forgive(use);
    if (reason === undefined) return answer;
    if (strikes.strike(use, reason)) {
      log.error({ plugin, reason }, 'a plugin misbehaves and is switched off');
      for (const listener of listeners) listener({ plugin, reason });
    }
    return answer;
  }

  return {
    list: () =>
      plugins.map(({ source: _source, ...info }) => {
        const offBecause = strikes.offBecause(info.name);
        return offBecause === undefined ? info : { ...info, offBecause };
      }),
    switchOn(name) {
      strikes.switchOn(name);
    },
    onSwitchedOff(listener) {
      listeners.add(listener);
    },
    hasValidator: (name) => validators.has(name),
    hasSummarizer: (name) => summarizers.has(name),

    async validate({ use, config, artifacts, facts, timeoutMs = limits.timeoutMs, signal }) {
      const startedAt = performance.now();
      const plugin = validators.get(use);
      if (plugin === undefined) return fault('validator_unknown', `No enabled plugin offers the validator ${use}.`);
      const off = describeOff(plugin.name);
      if (off !== undefined) return fault('plugin_off', off);
      const job = { verb: 'validate', plugin: plugin.source, use, config, artifacts, facts } as const;
      const verdict = toVerdict(await run(job, { timeoutMs, signal }), timeoutMs);
      const durationMs = Math.round(performance.now() - startedAt);
      metrics?.recordValidator(use, verdict.outcome, durationMs);
      return { ...verdict, durationMs };
    },

    refuseEvidence(contentBytes) {
      const bytesMax = limits.evidenceBytesMax ?? evidenceBytesUsual;
      return contentBytes > bytesMax ? fault('evidence_too_large', describeTooLarge(contentBytes, bytesMax)) : undefined;
    },

    async summarize({ use, config, items, budgetTokens, timeoutMs = limits.timeoutMs, signal }) {
      const plugin = summarizers.get(use);
      if (plugin === undefined) return { outcome: 'error', message: `No enabled plugin offers the summarizer ${use}.` };
      const off = describeOff(plugin.name);
      if (off !== undefined) return { outcome: 'error', message: off };
      const job = { verb: 'summarize', plugin: plugin.source, use, config, items, budgetTokens } as const;
      const summary = toSummary(await run(job, { timeoutMs, signal }), timeoutMs);
      const broken = summary.outcome === 'ok' ? findSummaryFault(summary, { items, budgetTokens, count: countTokens }) : undefined;
      return broken === undefined ? summary : { outcome: 'error', message: broken };
    },

    stop: () => jobs.stop(),
  };
}

/** The verdict of a validator that was not asked. */
const fault = (code: string, message: string): ValidatorVerdict => ({
  outcome: 'error',
  findings: [{ severity: 'fail', code, message }],
  durationMs: 0,
});

/** A plugin that runs programs can do what its user can: somebody has to have said so. */
function refusePrograms(plugins: readonly ReadPlugin[], allowed: readonly string[]): void {
  const asking = plugins.filter(({ name, permissions }) => permissions.includes('programs') && !allowed.includes(name));
  if (asking.length === 0) return;
  const names = asking.map(({ name }) => name).join(', ');
  throw new PluginSetupError(
    `${names} wants to run programs, and with them could read and change whatever you can. If you trust it, allow it: BATON_PLUGINS_WITH_PROGRAMS=${[...allowed, names.replaceAll(' ', '')].join(',')}`,
  );
}

const indexOffers = (plugins: readonly ReadPlugin[], kind: 'validators' | 'summarizers') =>
  new Map(plugins.flatMap((plugin) => plugin[kind].map((offer) => [offer, plugin] as const)));
