import { existsSync } from 'node:fs';
import { delimiter, dirname, extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { PluginSetupError } from './plugin-setup-error.ts';
import { findPackagePlaces, findPlaces } from './plugin-places.ts';
import type { ReadPlugin } from './read-plugins.ts';

/** `permissions` is Node's permission model; `bwrap` puts the plugin process into namespaces of its own besides: no network, no other process. */
export const sandboxes = ['permissions', 'bwrap'] as const;
export type Sandbox = (typeof sandboxes)[number];

export interface PluginLimits {
  /** How many jobs run at a time. */
  readonly threadsMax: number;
  /** The heap of one thread, and what all threads of the process may take beside their heaps. */
  readonly memoryMb: number;
  /** How long a job may take that does not say so itself. */
  readonly timeoutMs: number;
  /** The size of one answer. */
  readonly verdictBytesMax: number;
  /** What the validators of one gate are shown, in JSON. */
  readonly evidenceBytesMax?: number;
  /** How long a job may go on once its signal has aborted, before its thread is ended. */
  readonly graceMs?: number;
  /** How long after that the plugin process itself is held for stuck and killed. Covers its start on a busy machine. */
  readonly backstopMs?: number;
  /** How long a plugin process stays that has nothing to do. */
  readonly idleMs?: number;
}

/** Given to the plugin process as its only argument, in JSON. */
export interface HostSettings {
  readonly threadsMax: number;
  readonly verdictBytesMax: number;
  readonly graceMs: number;
  readonly resourceLimits: ResourceLimits;
  /** What the whole process may take before it is ended, beside the evidence: Buffers count in no heap. */
  readonly residentMbMax: number;
  /** Threads see the environment of the process. */
  readonly hasEnvironment: boolean;
  /** The options of Node for the threads. */
  readonly threadArgv: readonly string[];
}

/** How the process of a plugin is started. */
export interface Isolation {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How far the process stands back for others, as `nice` has it: 0 not at all, 19 always. */
  readonly niceness: number;
  readonly settings: HostSettings;
  readonly idleMs: number;
  readonly backstopMs: number;
}

/** What programs need to be found, to speak a language and to have a place for temporary files; nothing that could be a secret. */
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'LC_ALL', 'TZ', 'SystemRoot'];

/** What a Node process takes by itself, and each of its threads, in MiB. Measured at 60 and 25; with room for code. */
const processMb = 200;
const threadMb = 50;

type Isolated = Pick<ReadPlugin, 'name' | 'permissions' | 'source'>;

/**
 * All that is decided about what plugin code may use, in one place: for each plugin, by its name. Those that only look at what they are
 * given read nothing but their own code, and have an empty environment. Those that may run programs may do whatever their user may.
 */
export function isolate(
  limits: PluginLimits,
  plugins: readonly Isolated[],
  sandbox: Sandbox = 'permissions',
): ReadonlyMap<string, Isolation> {
  const hostPlaces = findHostPlaces();
  return new Map(
    plugins.map((plugin) => [
      plugin.name,
      plugin.permissions.includes('programs') ? trust(limits) : restrict(limits, [...hostPlaces, ...findPlaces(plugin.source)], sandbox),
    ]),
  );
}

function restrict(limits: PluginLimits, places: readonly string[], sandbox: Sandbox): Isolation {
  // SQLite opens whatever file it is told to, and asks no permission.
  const argv = [
    ...nodeOptions(),
    '--permission',
    '--no-experimental-sqlite',
    ...new Set(places.map((place) => `--allow-fs-read=${place}`)),
  ];
  const isolation = start(limits, [...argv, '--allow-worker', '--disable-warning=SecurityWarning'], {
    env: {},
    // A plugin that spins takes what is left of the processors, and the coordinator goes on as before.
    niceness: 5,
    threadArgv: argv,
  });
  return sandbox === 'bwrap' ? intoNamespaces(isolation) : isolation;
}

const trust = (limits: PluginLimits): Isolation =>
  start(limits, nodeOptions(), {
    env: environmentOf(passedOn),
    // What it runs is the user's own, such as tests, which have a time to keep.
    niceness: 0,
    threadArgv: nodeOptions(),
  });

// `--conditions=source` lets the workspace run from source; a debugger's port and the like must not be inherited.
// Resolving from another package than our own is still behind a flag.
const nodeOptions = (): string[] => [
  ...process.execArgv.filter((argument) => argument.startsWith('--conditions=')),
  '--experimental-import-meta-resolve',
];

/** Where the code lies that runs a plugin: this folder, and what it imports. */
function findHostPlaces(): string[] {
  const here = dirname(fileURLToPath(import.meta.url)) + sep;
  const packageFile = fileURLToPath(import.meta.resolve('@baton/sdk/package.json'));
  return [here, ...findPackagePlaces(packageFile, [])];
}

function start(
  limits: PluginLimits,
  execArgv: readonly string[],
  { env, niceness, threadArgv }: Pick<Isolation, 'env' | 'niceness'> & Pick<HostSettings, 'threadArgv'>,
): Isolation {
  const { threadsMax, memoryMb, verdictBytesMax, graceMs = 500, backstopMs = 10_000, idleMs = 60_000 } = limits;
  const settings: HostSettings = {
    threadsMax,
    verdictBytesMax,
    graceMs,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: Math.max(8, memoryMb / 8) },
    residentMbMax: processMb + threadsMax * (memoryMb + threadMb),
    threadArgv,
    hasEnvironment: Object.keys(env).length > 0,
  };
  const module = fileURLToPath(new URL(`./host-process${extname(import.meta.url)}`, import.meta.url));
  return { program: process.execPath, args: [...execArgv, module, JSON.stringify(settings)], env, niceness, settings, idleMs, backstopMs };
}

/**
 * Starts the process in namespaces of its own: no network, no process but its own to be seen, and all files read-only. What it
 * may read of them the permission model has said.
 */
function intoNamespaces(isolation: Isolation): Isolation {
  const program = findBwrap();
  const namespaces = [
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
  ];
  return { ...isolation, program, args: [...namespaces, isolation.program, ...isolation.args] };
}

function findBwrap(): string {
  // oxlint-disable-next-line node/no-process-env -- Where programs lie is no setting of ours.
  const places = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'bwrap'));
  const found = places.find((file) => existsSync(file));
  if (found === undefined)
    throw new PluginSetupError(
      'pluginSandbox (BATON_PLUGIN_SANDBOX): there is no bwrap on the PATH. Install bubblewrap, or use `permissions`.',
    );
  return found;
}

function environmentOf(names: readonly string[]): Record<string, string> {
  // oxlint-disable-next-line node/no-process-env -- No setting is read, which is for `config.ts` alone: these are handed on unread.
  const own = process.env;
  return Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
}
