import { type Config, readConfig } from '../config.ts';
import { startCoordinator } from '../coordinator.ts';
import { createLog } from '../log.ts';
import { CommandError, interrupted, printLine, type Shell } from './shell.ts';

export interface UpOptions {
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly plugin?: string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly publicHost?: string[];
  readonly logLevel?: Config['logLevel'];
  readonly json?: boolean;
}

/** `baton up`: runs a coordinator until it is told to stop. */
export async function up(shell: Shell, { json = false, ...options }: UpOptions): Promise<number> {
  // What is said below is for a person; who reads the log asks for it.
  const isQuiet = !json && !shell.env['BATON_LOG_LEVEL'];
  const config = readSettings({ ...(isQuiet ? { logLevel: 'warn' } : {}), ...options }, shell.env);
  const stopping = interrupted(shell);
  const coordinator = await startCoordinator(config, { log: createLog(config) });
  const { url, httpUrl, tokenFile, dataDir, durability } = coordinator;
  if (json) printLine(shell.stdout, JSON.stringify({ url, httpUrl, tokenFile, pid: process.pid, dataDir, durability }));
  else {
    printLine(shell.stdout, `Listening at  ${url}`);
    printLine(shell.stdout, `Store         ${durability.explanation}`);
    printLine(shell.stdout, `Token         ${tokenFile}`);
    printLine(shell.stdout, 'Ctrl-C stops it.');
  }
  await stopping;
  await coordinator.stop();
  return 0;
}

/** The settings of a coordinator from a command's options; what does not fit is wrong usage. */
export function readSettings({ data, plugin, publicHost, ...options }: Omit<UpOptions, 'json'>, env: NodeJS.ProcessEnv): Config {
  try {
    return readConfig({ ...options, dataDir: data, plugins: plugin, publicHosts: publicHost }, env);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { exitCode: 2, cause: error });
  }
}
