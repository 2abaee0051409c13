import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { PluginSetupError } from './plugin-setup-error.ts';

/** A program that is to be started, with its arguments. */
interface Start {
  readonly program: string;
  readonly args: readonly string[];
}

/** What programs are loaded with, on one system or another, and how they find the time zone. */
const systemPlaces = ['/usr', '/lib', '/lib64', '/nix/store', '/gnu/store', '/etc/ld.so.cache', '/etc/localtime'];

/**
 * Starts a program in namespaces of its own: no network, no process but its own to be seen, and of all files only the places, which
 * it cannot change. What is not there cannot be connected to either: the sockets of other programs are files.
 * @throws PluginSetupError where there is no bubblewrap
 */
export function intoNamespaces({ program, args }: Start, places: readonly string[]): Start {
  const namespaces = ['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--proc', '/proc', '--dev', '/dev'];
  const mounts = mountPlaces([...systemPlaces.filter((place) => existsSync(place)), program, ...places]);
  return { program: findBwrap(), args: [...namespaces, ...mounts, '--remount-ro', '/', program, ...args] };
}

/** Links stay links, and lead to what they lead to outside: by its own path a module finds what lies beside it. */
function mountPlaces(places: readonly string[]): string[] {
  const links = new Map<string, string>();
  const found = [...new Set(places.map((place) => follow(place, links)))];
  const outermost = found.filter((one) => !found.some((other) => one !== other && liesIn(other, one)));
  return [
    ...outermost.flatMap((place) => ['--ro-bind', place, place]),
    ...[...links].flatMap(([link, target]) => (outermost.some((place) => liesIn(place, link)) ? [] : ['--symlink', target, link])),
  ];
}

/** Where a path leads to in the end. Notes all links that it comes by. */
function follow(path: string, links: Map<string, string>): string {
  let here: string = sep;
  for (const name of path.split(sep).filter((part) => part !== '')) {
    const next = join(here, name);
    const target = lstatSync(next).isSymbolicLink() ? readlinkSync(next) : undefined;
    if (target !== undefined) links.set(next, target);
    here = target === undefined ? next : follow(resolve(dirname(next), target), links);
  }
  return here;
}

const liesIn = (place: string, path: string): boolean => path === place || path.startsWith(place + sep);

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
