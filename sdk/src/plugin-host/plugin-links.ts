import { type Dirent, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { z } from 'zod';

/** What is looked through for one plugin, in less than a second. A package with all that it needs has some thousand; more is a project around it. */
const entriesUsual = 100_000;
/** How many links of one plugin are told. */
const toldMax = 5;

export interface LinkCheck {
  /** The package's name. */
  readonly plugin: string;
  /** The folders that are looked through, with all below them. */
  readonly folders: readonly string[];
  /** The folders and files that the plugin may read, folders with a separator at their end. */
  readonly readable: readonly string[];
  readonly entriesMax?: number;
}

/**
 * The links below the folders of a plugin that lead out of all it may read, as sentences for a person. Node's permission model asks
 * where a path begins and follows links wherever they lead. A package that a package manager has linked is no fault: that is how the
 * dependencies of its development come there.
 */
export function findLinkFaults({ plugin, folders, readable, entriesMax = entriesUsual }: LinkCheck): string[] {
  const links = listLinks(folders, entriesMax);
  if (links === undefined)
    return [
      `${plugin}: below ${folders[0]} and among its dependencies lie more than ${entriesMax} files and folders, too many to look for links. Give it a folder of its own, or name it by its file.`,
    ];
  const outward = links.flatMap((link) => {
    const target = follow(link);
    return readable.some((place) => liesIn(place, target)) || isLinkedPackage(link, target) ? [] : [{ link, target }];
  });
  const faults = outward
    .slice(0, toldMax)
    .map(
      ({ link, target }) =>
        `${plugin}: ${link} is a link to ${target}, out of what the plugin may read, and what lies there could be read by it. Take it away, put a copy in its place, or give the plugin a folder of its own; a package belongs to the "dependencies" in its package.json.`,
    );
  return outward.length > toldMax ? [...faults, `${plugin}: there are ${outward.length - toldMax} more such links.`] : faults;
}

/** Undefined where there is too much to look through. Does not go into what is linked, and so comes to an end. */
function listLinks(folders: readonly string[], entriesMax: number): string[] | undefined {
  const waiting = folders.map((folder) => realpathSync.native(folder));
  const seen = new Set<string>();
  const links: string[] = [];
  let entriesLeft = entriesMax;
  // Arrays are walked to their end, and what is added on the way is walked too.
  for (const folder of waiting) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    const entries = readFolder(folder);
    entriesLeft -= entries.length;
    if (entriesLeft < 0) return undefined;
    for (const entry of entries) {
      if (entry.isDirectory()) waiting.push(join(folder, entry.name));
      else if (entry.isSymbolicLink()) links.push(join(folder, entry.name));
    }
  }
  return links;
}

/** Nothing for what cannot be read: the plugin, which has the same user, cannot read it either. */
function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function follow(link: string): string {
  try {
    return realpathSync.native(link);
  } catch {
    // Nothing is there yet.
    return resolve(dirname(link), readlinkSync(link));
  }
}

const liesIn = (place: string, target: string): boolean => (place.endsWith(sep) ? `${target}${sep}`.startsWith(place) : target === place);

const modules = `${sep}node_modules${sep}`;

/** Whether it stands among packages and leads among packages, or stands where a package has its place and leads to the one of this name. */
export function isLinkedPackage(link: string, target: string): boolean {
  if (!`${link}${sep}`.includes(modules)) return false;
  if (`${target}${sep}`.includes(modules)) return true;
  const folder = dirname(link);
  const [place, name] = basename(folder).startsWith('@')
    ? [dirname(folder), `${basename(folder)}/${basename(link)}`]
    : [folder, basename(link)];
  return basename(place) === 'node_modules' && readName(target) === name;
}

const packageJson = z.object({ name: z.string() });

function readName(folder: string): string | undefined {
  try {
    return packageJson.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).name;
  } catch {
    return undefined;
  }
}
