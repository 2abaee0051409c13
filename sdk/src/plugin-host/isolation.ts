import { dirname, extname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { PluginSetupError } from './plugin-setup-error.ts';
import { intoNamespaces } from './namespaces.ts';
import { findLinkFaults } from './plugin-links.ts';
import { findPackagePlaces, findPlaces } from './plugin-places.ts';
import { findPlaceFaults, withhold } from './withheld-places.ts';
import type { ReadPlugin } from './read-plugins.ts';

/**
 * `permissions` is Node's permission model; `bwrap` puts the plugin process into namespaces of its own besides: no network, no other
 * process, no file but its own.
 */
export const sandboxes = ['permissions', 'bwrap'] as const;
export type Sandbox = (typeof sandboxes)[number];

export interface PluginLimits {
  /** How many jobs run at a time, and at most of one plugin. One more may run of a plugin that has none running. */
  readonly threadsMax: number;
  /** The heap of one thread, and what all threads of the process may take beside their heaps. */
  readonly memoryMb: number;
  /** How long a job may take that does not say so itself, from when the plugin's code is asked. */
  readonly timeoutMs: number;
  /** The size of one answer. */
  readonly verdictBytesMax: number;
  /** What the validators of one gate are shown, in JSON. */
  readonly evidenceBytesMax?: number;
  /** How long it may take until then: to start a thread, and to load the code. */
  readonly startMs?: number;
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
  readonly startMs: number;
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

export interface IsolationOptions {
  readonly sandbox?: Sandbox | undefined;
  /** Files and folders that no plugin may read, though they lie among its own. */
  readonly withheld?: readonly string[] | undefined;
}

/**
 * All that is decided about what plugin code may use, in one place: for each plugin, by its name. Those that only look at what they are
 * given read nothing but their own code, and have an empty environment. Those that may run programs may do whatever their user may.
 * @throws PluginSetupError where a plugin could read more than its own: by a link, by a * in a name, or since it lies in what is withheld
 */
export function isolate(
  limits: PluginLimits,
  plugins: readonly Isolated[],
  { sandbox = 'permissions', withheld = [] }: IsolationOptions = {},
): ReadonlyMap<string, Isolation> {
  const hostPlaces = findHostPlaces();
  const faults: string[] = [];
  const isolations = plugins.map(({ name, permissions, source }) => {
    if (permissions.includes('programs')) return [name, trust(limits)] as const;
    const own = findPlaces(source);
    const places = withhold(own, withheld);
    const readable = [...withhold(hostPlaces, withheld), ...places];
    const folders = places.filter((place) => place.endsWith(sep) && !hostPlaces.includes(place));
    faults.push(...findPlaceFaults(name, [...own, ...places], withheld), ...findLinkFaults({ plugin: name, folders, readable }));
    return [name, restrict(limits, readable, sandbox)] as const;
  });
  if (faults.length > 0) throw new PluginSetupError(`The plugins cannot be enabled:\n  ${faults.join('\n  ')}`);
  return new Map(isolations);
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
  return sandbox === 'bwrap' ? { ...isolation, ...intoNamespaces(isolation, places) } : isolation;
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
  const { threadsMax, memoryMb, verdictBytesMax, startMs = 30_000, graceMs = 500, backstopMs = 10_000, idleMs = 60_000 } = limits;
  const settings: HostSettings = {
    threadsMax,
    verdictBytesMax,
    startMs,
    graceMs,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: Math.max(8, memoryMb / 8) },
    residentMbMax: processMb + threadsMax * (memoryMb + threadMb),
    threadArgv,
    hasEnvironment: Object.keys(env).length > 0,
  };
  const module = fileURLToPath(new URL(`./host-process${extname(import.meta.url)}`, import.meta.url));
  // This signal opens the inspector, and whoever connects to that may do what the process may. Another plugin can send it.
  const args = ['--disable-sigusr1', ...execArgv, module, JSON.stringify(settings)];
  return { program: process.execPath, args, env, niceness, settings, idleMs, backstopMs };
}

function environmentOf(names: readonly string[]): Record<string, string> {
  // oxlint-disable-next-line node/no-process-env -- No setting is read, which is for `config.ts` alone: these are handed on unread.
  const own = process.env;
  return Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
}
