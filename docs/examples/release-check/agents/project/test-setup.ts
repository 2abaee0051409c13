import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { findFiles } from './find-files.ts';
import type { Manifest } from './manifest.ts';

export type TestFramework = 'node' | 'vitest' | 'other' | 'none';

export interface TestSetup {
  readonly framework: TestFramework;
  /** Files of unit tests. */
  readonly files: readonly string[];
  /** Files of tests that only a release has to pass. */
  readonly acceptanceFiles: readonly string[];
  /** What stands between `node` and `--test` in the project's own script, such as `--import tsx`. */
  readonly nodeOptions: readonly string[];
  /** Why line coverage cannot be measured here; undefined where it can. */
  readonly unmeasurable: string | undefined;
}

const testExtensions = '{ts,mts,js,mjs,cjs}';

/** Which test runner a project uses, by its own script and dependencies. */
export async function findTestSetup(root: string, { scripts, devDependencies, dependencies }: Manifest): Promise<TestSetup> {
  const tests = await findFiles(root, `**/*.{test,spec}.${testExtensions}`);
  const isAcceptance = (path: string) => /(^|\/)(acceptance|e2e)\//.test(path);
  const files = tests.filter((path) => !isAcceptance(path) && !/(^|\/)(dist|build)\//.test(path));
  const acceptanceFiles = tests.filter(isAcceptance);
  const script = scripts['test'] ?? '';
  const setup = { files, acceptanceFiles, nodeOptions: [], unmeasurable: undefined };

  if (/\bvitest\b/.test(script) || 'vitest' in devDependencies) {
    const providers = ['@vitest/coverage-v8', '@vitest/coverage-istanbul'].filter(
      (name) => name in devDependencies || name in dependencies,
    );
    const unmeasurable =
      providers.length > 0
        ? undefined
        : 'vitest measures coverage only with @vitest/coverage-v8 or @vitest/coverage-istanbul, and neither is a dependency';
    return { ...setup, framework: 'vitest', unmeasurable };
  }
  const [, options] = /^node\s+((?:(?!--test\b)\S+\s+)*)--test\b/.exec(script) ?? [];
  if (options !== undefined) return { ...setup, framework: 'node', nodeOptions: options.split(/\s+/).filter((word) => word !== '') };
  if (script === '' || /no test specified/.test(script)) return { ...setup, framework: files.length > 0 ? 'node' : 'none' };
  return { ...setup, framework: 'other', unmeasurable: `the test script "${script}" is neither node --test nor vitest` };
}

/** The runner that the project installed for itself. */
export async function findVitest(root: string): Promise<string | undefined> {
  // One of a folder above serves as well, as it does for Node's own resolution.
  for (let folder = root, up = join(folder, '..'); folder !== up; folder = up, up = join(folder, '..')) {
    const program = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
    const isThere = await access(program).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  return undefined;
}
