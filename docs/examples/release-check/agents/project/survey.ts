import { z } from 'zod';
import { missingFields } from '../editing/complete-manifest.ts';
import { readDocumentation } from './documentation.ts';
import { type Project, publicNames } from './read-project.ts';

const named = z.object({ path: z.string(), name: z.string() });

/** What a project has and lacks, as the analyst finds it and the others build on it. */
export const surveySchema = z.object({
  name: z.string(),
  entry: z.string().nullable(),
  modules: z.array(z.object({ path: z.string(), exports: z.array(z.string()), codeLines: z.number() })),
  /** Exports without a doc comment that the documents describe, and those that nothing describes. */
  undocumented: z.array(named),
  undescribed: z.array(named),
  /** Described in the documents, but not given out by the entry. */
  unpublished: z.array(named),
  publicNames: z.array(z.string()),
  dependencies: z.array(z.string()),
  missingFields: z.array(z.string()),
  tests: z.object({
    framework: z.string(),
    files: z.array(z.string()),
    acceptanceFiles: z.array(z.string()),
    unmeasurable: z.string().nullable(),
  }),
  skipped: z.array(z.object({ step: z.string(), reason: z.string() })),
});
export type Survey = z.infer<typeof surveySchema>;

export async function surveyProject(project: Project): Promise<Survey> {
  const { root, manifest, modules, entry, tests, skipped } = project;
  const exports = modules.flatMap(({ path, exports }) => exports.map((exported) => ({ ...exported, path })));
  const described = new Set((await readDocumentation(root, new Set(exports.map(({ name }) => name)))).map(({ name }) => name));
  const reachable = publicNames(project);
  const bare = exports.filter(({ isDocumented }) => !isDocumented).map(({ path, name }) => ({ path, name }));
  return {
    name: manifest.name ?? 'unnamed',
    entry: entry ?? null,
    modules: modules.map(({ path, exports, codeLines }) => ({
      path,
      exports: exports.map(({ name }) => name),
      codeLines: codeLines.length,
    })),
    undocumented: bare.filter(({ name }) => described.has(name)),
    undescribed: bare.filter(({ name }) => !described.has(name)),
    // `export *` gives out names that are not listed.
    unpublished:
      entry === undefined || reachable.has('*')
        ? []
        : exports
            .filter(({ path, name }) => path !== entry && described.has(name) && !reachable.has(name))
            .map(({ path, name }) => ({ path, name })),
    publicNames: [...reachable].sort(),
    dependencies: Object.keys(manifest.dependencies).sort(),
    missingFields: missingFields(manifest),
    tests: {
      framework: tests.framework,
      files: [...tests.files],
      acceptanceFiles: [...tests.acceptanceFiles],
      unmeasurable: tests.unmeasurable ?? null,
    },
    skipped: skipped.map(({ step, reason }) => ({ step, reason })),
  };
}
