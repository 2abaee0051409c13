import { posix } from 'node:path';
import type { SourceModule } from './source-module.ts';

export interface GraphNode {
  readonly path: string;
  /** 0 for a module that imports no other of the project; else one more than the highest it imports. */
  readonly level: number;
  /** Modules of the project. */
  readonly imports: readonly string[];
  /** Packages and built-in modules. */
  readonly packages: readonly string[];
}

export interface ImportGraph {
  readonly nodes: readonly GraphNode[];
  /** Modules that import each other in a circle; they share a level. */
  readonly cycles: readonly (readonly string[])[];
}

/** Who imports whom. Nodes are in an order in which each comes after what it imports, circles aside. */
export function buildImportGraph(modules: readonly SourceModule[]): ImportGraph {
  const paths = new Set(modules.map(({ path }) => path));
  const edges = new Map<string, { imports: string[]; packages: string[] }>();
  for (const { path, imports } of modules) {
    const resolved = imports.map(({ specifier }) => ({ specifier, path: resolveImport(path, specifier, paths) }));
    edges.set(path, {
      imports: resolved.flatMap(({ path }) => path ?? []),
      packages: resolved.flatMap(({ specifier, path }) => (path === undefined && !specifier.startsWith('.') ? specifier : [])),
    });
  }
  return placeNodes(edges);
}

/** The module that a relative import means: as written, with another or no extension, or the index of a folder. */
export function resolveImport(from: string, specifier: string, paths: ReadonlySet<string>): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(from), specifier);
  const bare = target.replace(/\.[mc]?jsx?$/, '');
  const extensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'];
  const candidates = [target, ...extensions.flatMap((extension) => [bare + extension, `${target}/index${extension}`])];
  return candidates.find((candidate) => paths.has(candidate));
}

function placeNodes(edges: ReadonlyMap<string, { imports: readonly string[]; packages: readonly string[] }>): ImportGraph {
  const levels = new Map<string, number>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: readonly string[]): number => {
    const known = levels.get(path);
    if (known !== undefined) return known;
    const seenAt = trail.indexOf(path);
    if (seenAt !== -1) {
      cycles.push(trail.slice(seenAt));
      return -1;
    }
    const imports = edges.get(path)?.imports ?? [];
    const level = 1 + Math.max(-1, ...imports.map((target) => visit(target, [...trail, path])));
    levels.set(path, level);
    return level;
  };
  for (const path of edges.keys()) visit(path, []);
  // A map remembers the order of entry, and a module enters after all that it imports.
  const nodes = [...levels].map(([path, level]) => ({ path, level, ...(edges.get(path) ?? { imports: [], packages: [] }) }));
  return { nodes: nodes.toSorted((a, b) => a.level - b.level), cycles };
}
