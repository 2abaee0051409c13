import { readdirSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

/**
 * The same places without what no plugin may read. A folder that holds some of it is replaced by all else that lies in it at this
 * moment, since what is allowed with its folder cannot be forbidden again; links in it are left out, wherever they lead. Folders end
 * with a separator. A place below what is withheld stays: a plugin may lie there, and read itself.
 */
export function withhold(places: readonly string[], withheld: readonly string[]): string[] {
  const hidden = withheld.map(realPathOf);
  const holdsHidden = (path: string) => hidden.some((one) => one.startsWith(path + sep));

  const open = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink() || hidden.includes(path)) return [];
      if (holdsHidden(path)) return open(path);
      return [entry.isDirectory() ? path + sep : path];
    });
  return places.flatMap((place) => {
    const path = realPathOf(place);
    if (hidden.includes(path)) return [];
    return holdsHidden(path) ? open(path) : [place];
  });
}

/** Why a plugin cannot have its places, as sentences for a person. */
export function findPlaceFaults(plugin: string, places: readonly string[], withheld: readonly string[]): string[] {
  const hidden = withheld.map(realPathOf);
  return places.flatMap((place) => {
    if (hidden.includes(realPathOf(place)))
      return `${plugin}: ${place} is where the coordinator keeps what no plugin may read. Give the plugin a folder of its own, or the coordinator another (--data).`;
    // Node takes it for any name, wherever it stands in what is allowed.
    return place.includes('*')
      ? `${plugin}: ${place} has a * in its name, and would let the plugin read other files. Give it another name.`
      : [];
  });
}

/** As it is written, where nothing is there. Without a separator at its end. */
function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}
