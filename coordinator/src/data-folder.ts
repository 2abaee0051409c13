import { linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from './config.ts';

/** A data folder held by this process. */
export interface DataFolder {
  readonly path: string;
  /** Lets others open the folder. Does nothing when called again. */
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** When that process began, in the kernel's words, so that a later process with the same pid is not taken for it. */
  readonly startedAt: string | undefined;
}

/**
 * Creates the folder where it is missing and takes it for this process. The embedded store has no lock of its own, and two
 * openers would silently lose data. A folder is never taken from a living process.
 * @throws ConfigError that names the process which holds the folder
 */
export async function holdDataFolder(path: string): Promise<DataFolder> {
  await makeFolder(path);
  const file = join(path, 'lock');
  while (!tryCreate(file)) {
    const holder = readHolder(file);
    if (holder !== undefined && isAlive(holder)) {
      throw new ConfigError(
        `The data folder ${path} is in use by process ${holder.pid}. Stop that coordinator, or choose another folder with --data.`,
      );
    }
    // The holder is dead. Whoever of us removes the file first creates it first; the other finds a living holder.
    removeStale(file, holder);
  }
  let held = true;
  return {
    path,
    release() {
      if (held) unlinkSync(file);
      held = false;
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    // It often lies in a repository, and holds a token.
    await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (isSystemError(error, 'EEXIST') && statSync(path).isDirectory()) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The data folder ${path} cannot be made or written to (${reason}). Choose another with --data.`, {
      cause: error,
    });
  }
}

const isSystemError = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

// Linked into place with its content, so that nobody ever reads a lock that does not name its holder.
function tryCreate(file: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) } satisfies Holder), { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    // Gone again.
    return undefined;
  }
}

function removeStale(file: string, seen: Holder | undefined): void {
  const now = readHolder(file);
  if (now?.pid !== seen?.pid || now?.startedAt !== seen?.startedAt) return;
  try {
    unlinkSync(file);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

function isAlive({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if (!isSystemError(error, 'EPERM')) return false;
  }
  const startedNow = startOf(pid);
  return startedAt === undefined || startedNow === undefined || startedAt === startedNow;
}

/** The start time in clock ticks since boot, where the system tells (Linux); field 22 of proc(5)'s stat, counted after the name. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
