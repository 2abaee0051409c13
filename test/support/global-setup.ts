import { join } from 'node:path';
import { openStores } from './stores.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly storesSocket: string;
  }
}

interface Project {
  provide(key: 'storesSocket', value: string): void;
}

/** Runs once, before the first test file, in vitest's own process. */
export default async function setup(project: Project): Promise<() => Promise<void>> {
  // Hundreds of processes load the same modules: what one has compiled, the next need not, in this run and in later ones.
  process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'baton-tests');
  const stores = await openStores();
  project.provide('storesSocket', stores.socket);
  return stores.stop;
}
