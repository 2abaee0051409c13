import { type Config, ConfigError } from '../../config.ts';
import { startCoordinator } from '../../coordinator.ts';
import { createLog } from '../../log.ts';
import { CommandError, type Shell } from '../shell.ts';
import { findCoordinator, findTarget, type Target, type TargetOptions } from '../target.ts';

/** The coordinator that a run uses: its own, which ends with it, or one that runs already. */
export interface Place {
  readonly target: Target;
  readonly isOwn: boolean;
  /** What is to be said of where the run takes place. */
  readonly notice: string;
  close(): Promise<void>;
}

export async function openPlace(shell: Shell, options: TargetOptions, config: Config): Promise<Place> {
  if (options.url !== undefined) {
    const target = await findTarget(options, shell.env);
    return { target, isOwn: false, notice: `joins the coordinator at ${target.url}`, close: async () => undefined };
  }
  const coordinator = await startCoordinator(config, { log: createLog(config) }).catch(async (cause: unknown) => {
    throw await withWayIn(cause, config.dataDir);
  });
  const { url, httpUrl, tokenFile, durability } = coordinator;
  const caution = durability.survivesPowerLoss === 'no' ? '; the store does not survive a loss of power' : '';
  return {
    target: { url, httpUrl, tokenFile },
    isOwn: true,
    notice: `coordinator at ${url}, ${durability.store} store in ${config.dataDir}${caution}`,
    close: () => coordinator.stop(),
  };
}

/** A folder that is in use belongs to a coordinator that one may join. */
async function withWayIn(cause: unknown, dataDir: string): Promise<unknown> {
  const running = await findCoordinator(dataDir);
  // Nothing was started: what was asked for does not fit.
  const usage = { exitCode: 2, cause };
  if (!(cause instanceof ConfigError)) return cause;
  if (running === undefined || !cause.message.includes(String(running.pid))) return new CommandError(cause.message, usage);
  return new CommandError(`${cause.message}\nOr join it: baton run … --url ${running.httpUrl} --token-file ${running.tokenFile}`, usage);
}
