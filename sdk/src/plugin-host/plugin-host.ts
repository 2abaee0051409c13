import { resolve } from 'node:path';
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
import { isPath, type PluginInfo, type ReadPlugin, readPlugins } from './read-plugins.ts';
import { createStrikes, type SwitchedOff } from './strikes.ts';

export type { PluginInfo, PluginLimits, SummarizeOutcome };

interface RunOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly group?: string | undefined;
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
  /** Whose gate it is: where the validators of one plugin wait for a thread, those of each group take turns with the others. */
  readonly group?: string | undefined;
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
  /** The verdict of every validator on evidence that is too large to be shown, by what it takes; undefined for all other. */
  refuseEvidence(bytes: number): ValidatorVerdict | undefined;
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
  /** The plugins that may run programs, if they ask for it: named as in `plugins`. What a package calls itself counts for nothing. */
  readonly mayRunPrograms?: readonly string[];
  readonly sandbox?: Sandbox;
  /** Files and folders that no plugin may read, though they lie among its own: those of the coordinator. */
  readonly withheld?: readonly string[];
}

/** Reads the manifests. Throws a `PluginSetupError` when a plugin is not there or not for this coordinator. */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  const { plugins: names, log, limits, metrics, mayRunPrograms = [], sandbox, withheld, bases = [], cwd = process.cwd() } = options;
  const plugins = await readPlugins(names, { cwd, bases });
  refusePrograms(plugins, mayRunPrograms, cwd);
  const validators = indexOffers(plugins, 'validators');
  const summarizers = indexOffers(plugins, 'summarizers');
  const jobs = createJobRunner(limits, isolate(limits, plugins, { sandbox, withheld }), log);

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
      plugins.map(({ source: _source, namedAs: _namedAs, ...info }) => {
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

    async validate({ use, config, artifacts, facts, timeoutMs = limits.timeoutMs, signal, group }) {
      const startedAt = performance.now();
      const plugin = validators.get(use);
      if (plugin === undefined) return fault('validator_unknown', `No enabled plugin offers the validator ${use}.`);
      const off = describeOff(plugin.name);
      if (off !== undefined) return fault('plugin_off', off);
      const job = { verb: 'validate', plugin: plugin.source, use, config, artifacts, facts } as const;
      const verdict = toVerdict(await run(job, { timeoutMs, signal, group }), timeoutMs);
      const durationMs = Math.round(performance.now() - startedAt);
      metrics?.recordValidator(use, verdict.outcome, durationMs);
      return { ...verdict, durationMs };
    },

    refuseEvidence(bytes) {
      const bytesMax = limits.evidenceBytesMax ?? evidenceBytesUsual;
      return bytes > bytesMax ? fault('evidence_too_large', describeTooLarge(bytes, bytesMax)) : undefined;
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
function refusePrograms(plugins: readonly ReadPlugin[], allowed: readonly string[], cwd: string): void {
  const trusted = new Set(allowed.map((name) => placeOf(name, cwd)));
  const asking = plugins.filter(({ permissions, namedAs }) => permissions.includes('programs') && !trusted.has(placeOf(namedAs, cwd)));
  if (asking.length === 0) return;
  const names = asking.map(({ namedAs }) => namedAs);
  throw new PluginSetupError(
    `${names.join(', ')} wants to run programs, and with them could read and change whatever you can. If you trust it, allow it: BATON_PLUGINS_WITH_PROGRAMS=${[...allowed, ...names].join(',')}`,
  );
}

/** What a name of a plugin stands for: a package, or a path, however it is written. */
const placeOf = (name: string, cwd: string): string => (isPath(name) ? resolve(cwd, name) : name);

const indexOffers = (plugins: readonly ReadPlugin[], kind: 'validators' | 'summarizers') =>
  new Map(plugins.flatMap((plugin) => plugin[kind].map((offer) => [offer, plugin] as const)));
