import type { ConfigSchemas } from '../../workflow/misfits.ts';
import { CommandError } from '../shell.ts';

/** What plugins offer to gates. */
export interface Offered {
  readonly validators: readonly string[];
  readonly configs: ConfigSchemas;
}

/**
 * What the enabled plugins say they offer, without running any of them.
 * @throws CommandError where one cannot be enabled, as when a coordinator starts with it
 */
export async function readOffered(plugins: readonly string[]): Promise<Offered> {
  // Only when it is used: it brings the plugin host along.
  const { PluginSetupError, readPlugins } = await import('@baton/sdk/plugin/host');
  const read = await readPlugins(plugins, { bases: [import.meta.url], cwd: process.cwd() }).catch((cause: unknown) => {
    throw cause instanceof PluginSetupError ? new CommandError(cause.message, { exitCode: 2, cause }) : cause;
  });
  return {
    validators: read.flatMap(({ validators }) => validators).sort(),
    configs: new Map(read.flatMap(({ configs }) => Object.entries(configs))),
  };
}
