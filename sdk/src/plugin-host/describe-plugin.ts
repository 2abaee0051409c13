import type { PluginManifest } from '../plugin/index.ts';
import { isolate, type IsolationOptions } from './isolation.ts';
import { createJobRunner } from './job-runner.ts';
import { toDescription } from './outcome.ts';
import type { PluginLog } from './plugin-log.ts';
import { PluginSetupError } from './plugin-setup-error.ts';
import { readPluginPackage } from './read-plugins.ts';

/** A plugin as its code is, and as its package.json says. */
export interface PluginDescription {
  readonly name: string;
  readonly packageFile: string;
  /** What the code offers. */
  readonly offers: PluginManifest;
  /** What stands in the `baton` field now, whatever that is. */
  readonly baton: unknown;
}

/** A process has to start and the code to load, also on a busy machine. */
const timeoutMs = 60_000;

/**
 * Loads the plugin of a folder in a process of its own, as isolated as if it asked for no permission, and asks what it offers.
 * @throws PluginSetupError where there is no package, or its code is no plugin
 */
export async function describePlugin(
  folder: string,
  { log, withheld }: { readonly log: PluginLog } & Pick<IsolationOptions, 'withheld'>,
): Promise<PluginDescription> {
  const { name, baton, source } = await readPluginPackage(folder, { bases: [], cwd: folder }).catch((cause: unknown) => {
    throw new PluginSetupError(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  const limits = { threadsMax: 1, memoryMb: 256, timeoutMs, startMs: timeoutMs, verdictBytesMax: 256 * 1024 };
  const jobs = createJobRunner(limits, isolate(limits, [{ name, permissions: [], source }], { withheld }), log);
  try {
    const described = toDescription(await jobs.run({ verb: 'describe', plugin: source }, { timeoutMs }), timeoutMs);
    if (described.outcome !== 'ok') throw new PluginSetupError(`${name} cannot be loaded: ${described.message}`);
    return { name, packageFile: source.packageFile, offers: described.offers, baton };
  } finally {
    await jobs.stop();
  }
}
