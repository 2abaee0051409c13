import { CommandError } from '../shell.ts';

/**
 * The validators that the enabled plugins say they offer, without running any of them.
 * @throws CommandError where one cannot be enabled, as when a coordinator starts with it
 */
export async function readValidatorNames(plugins: readonly string[]): Promise<string[]> {
  // Only when it is used: it brings the plugin host along.
  const { PluginSetupError, readPlugins } = await import('@baton/sdk/plugin/host');
  const read = await readPlugins(plugins, { bases: [import.meta.url], cwd: process.cwd() }).catch((cause: unknown) => {
    throw cause instanceof PluginSetupError ? new CommandError(cause.message, { exitCode: 2, cause }) : cause;
  });
  return read.flatMap(({ validators }) => validators).sort();
}
