import type { ArtifactWithContent, ContextItem, Finding, JsonObject, Verdict } from '@baton/protocol';
import type { GateFacts } from '@baton/sdk/plugin';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { PluginLimits } from './isolation.ts';
import { createJobRunner } from './job-runner.ts';
import { type SummarizeOutcome, toSummary, toVerdict } from './outcome.ts';
import { type PluginInfo, type ReadPlugin, readPlugins } from './read-plugins.ts';

export type { PluginInfo, PluginLimits, SummarizeOutcome };

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
  list(): PluginInfo[];
  hasValidator(name: string): boolean;
  hasSummarizer(name: string): boolean;
  /** Never rejects and always ends: whatever a plugin does is its verdict, and only a clean run without a `fail` is a pass. */
  validate(options: ValidateOptions): Promise<ValidatorVerdict>;
  /** Never rejects and always ends. */
  summarize(options: SummarizeOptions): Promise<SummarizeOutcome>;
  /** Ends what runs and the processes. What is asked for later is answered with an error. */
  stop(): Promise<void>;
}

export interface PluginHostOptions {
  /** Packages, resolved from the coordinator and then from `cwd`, or paths, which start with `./`, `../` or `/`. */
  readonly plugins: readonly string[];
  readonly log: Log;
  readonly limits: PluginLimits;
  readonly metrics?: Pick<Metrics, 'recordValidator'>;
  readonly cwd?: string;
}

/** Reads the manifests. Throws a `ConfigError` when a plugin is not there or not for this coordinator. */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  const { plugins: names, log, limits, metrics, cwd = process.cwd() } = options;
  const plugins = await readPlugins(names, cwd);
  const validators = indexOffers(plugins, 'validators');
  const summarizers = indexOffers(plugins, 'summarizers');
  const jobs = createJobRunner(limits, log);

  return {
    list: () => plugins.map(({ source: _source, ...info }) => info),
    hasValidator: (name) => validators.has(name),
    hasSummarizer: (name) => summarizers.has(name),

    async validate({ use, config, artifacts, facts, timeoutMs = limits.timeoutMs, signal }) {
      const startedAt = performance.now();
      const plugin = validators.get(use);
      if (plugin === undefined) {
        const message = `No enabled plugin offers the validator ${use}.`;
        return { outcome: 'error', findings: [{ severity: 'fail', code: 'validator_unknown', message }], durationMs: 0 };
      }
      const answer = await jobs.run({ verb: 'validate', plugin: plugin.source, use, config, artifacts, facts }, { timeoutMs, signal });
      const verdict = toVerdict(answer, timeoutMs);
      const durationMs = Math.round(performance.now() - startedAt);
      metrics?.recordValidator(use, verdict.outcome, durationMs);
      return { ...verdict, durationMs };
    },

    async summarize({ use, config, items, budgetTokens, timeoutMs = limits.timeoutMs, signal }) {
      const plugin = summarizers.get(use);
      if (plugin === undefined) return { outcome: 'error', message: `No enabled plugin offers the summarizer ${use}.` };
      const answer = await jobs.run({ verb: 'summarize', plugin: plugin.source, use, config, items, budgetTokens }, { timeoutMs, signal });
      return toSummary(answer, timeoutMs);
    },

    stop: () => jobs.stop(),
  };
}

const indexOffers = (plugins: readonly ReadPlugin[], kind: 'validators' | 'summarizers') =>
  new Map(plugins.flatMap((plugin) => plugin[kind].map((offer) => [offer, plugin] as const)));
