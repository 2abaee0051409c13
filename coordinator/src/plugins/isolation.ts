import { extname } from 'node:path';
import type { ResourceLimits } from 'node:worker_threads';

export interface PluginLimits {
  /** How many jobs run at a time. */
  readonly threadsMax: number;
  /** The heap of one thread. */
  readonly memoryMb: number;
  /** How long a job may take that does not say so itself. */
  readonly timeoutMs: number;
  /** The size of one answer. */
  readonly verdictBytesMax: number;
  /** How long a job may go on once its signal has aborted, before its thread is ended. */
  readonly graceMs?: number;
  /** How long after that the plugin process itself is held for stuck and killed. Covers its start on a busy machine. */
  readonly backstopMs?: number;
}

/** Given to the plugin process as its only argument, in JSON. */
export interface HostSettings {
  readonly threadsMax: number;
  readonly verdictBytesMax: number;
  readonly graceMs: number;
  readonly resourceLimits: ResourceLimits;
}

export interface Isolation {
  readonly module: URL;
  readonly settings: HostSettings;
  readonly execArgv: string[];
  readonly env: Record<string, string>;
  readonly backstopMs: number;
}

/** What programs need to be found, to speak a language and to have a place for temporary files; nothing that could be a secret. */
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'LC_ALL', 'TZ', 'SystemRoot'];

/** All that is decided about what plugin code may use, in one place. Node's permission model is to be added to `execArgv`. */
export function isolate({ threadsMax, memoryMb, verdictBytesMax, graceMs = 500, backstopMs = 10_000 }: PluginLimits): Isolation {
  return {
    module: new URL(`./host-process${extname(import.meta.url)}`, import.meta.url),
    settings: {
      threadsMax,
      verdictBytesMax,
      graceMs,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: Math.max(8, memoryMb / 8) },
    },
    // `--conditions=source` lets the workspace run from source; a debugger's port and the like must not be inherited.
    // Resolving from another package than our own is still behind a flag.
    execArgv: [...process.execArgv.filter((argument) => argument.startsWith('--conditions=')), '--experimental-import-meta-resolve'],
    env: environmentOf(passedOn),
    backstopMs,
  };
}

function environmentOf(names: readonly string[]): Record<string, string> {
  // oxlint-disable-next-line node/no-process-env -- No setting is read, which is for `config.ts` alone: these are handed on unread.
  const own = process.env;
  return Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
}
