import { type Config, readConfig } from '../config.ts';
import { CommandError } from './shell.ts';

/** The settings that commands have options for. */
export interface SettingOptions {
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly databaseUrl?: string;
  /** Enabled besides those of the environment, which are the usual ones unless it says otherwise. */
  readonly plugin?: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly publicHost?: string[];
  readonly logLevel?: Config['logLevel'];
}

/** The settings of a coordinator from a command's options; what does not fit is wrong usage. */
export function readSettings({ data, plugin = [], publicHost, ...options }: SettingOptions, env: NodeJS.ProcessEnv): Config {
  try {
    const config = readConfig({ ...options, dataDir: data, publicHosts: publicHost }, env);
    return { ...config, plugins: [...config.plugins, ...plugin] };
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { exitCode: 2, cause: error });
  }
}
