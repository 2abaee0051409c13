import { readdirSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

/**
 * The same places without what no plugin may read. A folder that holds some of it is replaced by all else that lies in it at this
 * moment, since what is allowed with its folder cannot be forbidden again; links in it are left out, wherever they lead. Folders end
 * with a separator. A plugin that lies in what is withheld may read itself.
 */
export function withhold(places: readonly string[], withheld: readonly string[]): string[] {
  const hidden = withheld.map(realPathOf);
  const holdsHidden = (path: string) => hidden.some((one) => liesIn(one, path));

  const open = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink() || hidden.includes(path)) return [];
      if (holdsHidden(path)) return open(path);
      return [entry.isDirectory() ? path + sep : path];
    });
  return places.flatMap((place) => {
    const path = realPathOf(place);
    return holdsHidden(path) ? open(path) : [place];
  });
}

const liesIn = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** As it is written, where nothing is there. Without a separator at its end. */
function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}
