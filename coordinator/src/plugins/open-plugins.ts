import { createPluginHost, type PluginHost, PluginSetupError } from '@baton/sdk/plugin/host';
import { type Config, ConfigError } from '../config.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';

/**
 * The plugins that the configuration enables. Those that come with Baton are found from here, others from where the coordinator
 * is started.
 * @throws ConfigError where one is not there, or not for this coordinator
 */
export async function openPlugins(config: Config, log: Log, metrics: Pick<Metrics, 'recordValidator'>): Promise<PluginHost> {
  const { pluginThreadsMax, pluginMemoryMb, pluginEvidenceBytesMax, validatorTimeoutMs, verdictBytesMax } = config;
  try {
    return await createPluginHost({
      plugins: config.plugins,
      mayRunPrograms: config.pluginsWithPrograms,
      sandbox: config.pluginSandbox,
      // Tokens, the store, keys: a plugin is often developed in the very folder in which its coordinator keeps them.
      withheld: [config.dataDir, config.tlsKey, config.summarizerConfigFile].filter((path) => path !== undefined),
      bases: [import.meta.url],
      log,
      metrics,
      limits: {
        threadsMax: pluginThreadsMax,
        memoryMb: pluginMemoryMb,
        timeoutMs: validatorTimeoutMs,
        verdictBytesMax,
        evidenceBytesMax: pluginEvidenceBytesMax,
      },
    });
  } catch (error) {
    if (error instanceof PluginSetupError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}
