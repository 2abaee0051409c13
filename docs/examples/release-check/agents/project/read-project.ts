import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFiles } from './find-files.ts';
import { type Manifest, readManifest, stringsIn } from './manifest.ts';
import { findTestSetup, type TestSetup } from './test-setup.ts';
import { parseModule, type SourceModule } from './source-module.ts';

/** Something that was not done, and why. */
export interface Skipped {
  readonly step: string;
  readonly reason: string;
}

export interface Project {
  readonly root: string;
  readonly manifest: Manifest;
  readonly modules: readonly SourceModule[];
  /** The module that users of the package import, if it is among the sources. */
  readonly entry: string | undefined;
  readonly tests: TestSetup;
  readonly skipped: readonly Skipped[];
}

const sourceExtensions = '{ts,tsx,mts,cts,js,jsx,mjs,cjs}';
const notSources =
  /(^|\/)(node_modules|dist|build|coverage|test|tests|__tests__|acceptance|e2e|scripts)\/|\.(test|spec|bench|config|d)\.[^/]+$|(^|\/)\./;

/** Reads a TypeScript or JavaScript project: its manifest, the modules below `src/` or `lib/` (else its top folder), and its tests. */
export async function readProject(root: string): Promise<Project> {
  const manifest = await readManifest(root);
  const skipped: Skipped[] = [];
  const modules: SourceModule[] = [];
  for (const path of await findSources(root)) {
    try {
      const module = parseModule(path, await readFile(join(root, path), 'utf8'));
      modules.push(module);
      if (module.isCommonJs) skipped.push({ step: `read the exports of ${path}`, reason: 'it is a CommonJS module' });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      skipped.push({ step: `read ${path}`, reason: error.message });
    }
  }
  return { root, manifest, modules, entry: findEntry(manifest, modules), tests: await findTestSetup(root, manifest), skipped };
}

async function findSources(root: string): Promise<string[]> {
  for (const pattern of [`{src,lib}/**/*.${sourceExtensions}`, `*.${sourceExtensions}`]) {
    const paths = await findFiles(root, pattern);
    const sources = paths.filter((path) => !notSources.test(path));
    if (sources.length > 0) return sources;
  }
  return [];
}

function findEntry(manifest: Manifest, modules: readonly SourceModule[]): string | undefined {
  const paths = new Set(modules.map(({ path }) => path));
  const named = [...stringsIn(manifest.exports), manifest.main ?? ''].map((path) => path.replace(/^\.\//, ''));
  // A package that is built names its output; its sources have the same names elsewhere.
  const fromOutput = named.flatMap((path) =>
    ['src', 'lib'].map((folder) => path.replace(/^(dist|build|lib)\//, `${folder}/`).replace(/\.(d\.)?[mc]?[jt]s$/, '')),
  );
  const candidates = [
    ...named,
    ...[...fromOutput, 'src/index', 'lib/index', 'index'].flatMap((path) =>
      ['.ts', '.tsx', '.mts', '.js', '.mjs'].map((extension) => path + extension),
    ),
  ];
  return candidates.find((path) => paths.has(path));
}

/** The names that the entry gives to users of the package: its own, and what it passes on. */
export function publicNames({ modules, entry }: Pick<Project, 'modules' | 'entry'>): Set<string> {
  const module = modules.find(({ path }) => path === entry);
  return new Set([...(module?.exports ?? []).map(({ name }) => name), ...(module?.imports ?? []).flatMap(({ reexports }) => reexports)]);
}
