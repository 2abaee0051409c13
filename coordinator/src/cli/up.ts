import { startCoordinator } from '../coordinator.ts';
import { createLog } from '../log.ts';
import { readSettings, type SettingOptions } from './read-settings.ts';
import { interrupted, printLine, type Shell } from './shell.ts';

export interface UpOptions extends SettingOptions {
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
