import type { ImportGraph } from '../project/import-graph.ts';
import type { SourceModule } from '../project/source-module.ts';

/**
 * The modules in which a failing test may have found its defect, the likeliest first: those whose exports the text of the
 * test names, by how often, then what they import.
 */
export function findSuspects(testText: string, modules: readonly SourceModule[], graph: ImportGraph): string[] {
  const words = testText.match(/[A-Za-z_$][\w$]*/g) ?? [];
  const mentions = new Map(
    modules.map(({ path, exports }) => [
      path,
      words.filter((word) => exports.some(({ name, kind }) => kind === 'value' && name === word)).length,
    ]),
  );
  const named = [...mentions].filter(([, count]) => count > 0).toSorted(([, a], [, b]) => b - a);
  const suspects = new Set(named.map(([path]) => path));
  // A set may grow while it is walked: what is added is visited as well.
  for (const path of suspects) for (const target of graph.nodes.find((node) => node.path === path)?.imports ?? []) suspects.add(target);
  return [...suspects];
}
