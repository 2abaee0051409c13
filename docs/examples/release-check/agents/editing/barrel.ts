import { posix } from 'node:path';
import type { ExportedName } from '../project/source-module.ts';

export interface Publication {
  /** The module whose names are passed on. */
  readonly path: string;
  readonly names: readonly Pick<ExportedName, 'name' | 'kind'>[];
}

/** Adds `export { … } from` to the entry of a package, among its like, in the order of the paths. */
export function publishNames(entry: string, text: string, { path, names }: Publication): string {
  const specifier = relativeSpecifier(entry, path, text);
  const list = names
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, kind }) => (kind === 'type' ? `type ${name}` : name))
    .join(', ');
  const added = `export { ${list} } from '${specifier}';`;
  const lines = text.split('\n');
  const later = lines.findIndex((line) => (/^export .* from '([^']+)'/.exec(line)?.[1] ?? '') > specifier);
  if (later === -1) return `${text.trimEnd()}\n${added}\n`;
  return [...lines.slice(0, later), added, ...lines.slice(later)].join('\n');
}

/** In the way the entry writes its others: with the extension of the source, of the output, or with none. */
function relativeSpecifier(entry: string, path: string, text: string): string {
  const relative = posix.relative(posix.dirname(entry), path);
  const dotted = relative.startsWith('.') ? relative : `./${relative}`;
  const [, like = dotted] = / from '(\.[^']+)'/.exec(text) ?? [];
  if (/\.[mc]?tsx?$/.test(like)) return dotted;
  return dotted.replace(/\.([mc]?)[jt]sx?$/, /\.[mc]?jsx?$/.test(like) ? '.$1js' : '');
}
