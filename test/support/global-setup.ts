import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  // Hundreds of processes load the same modules: what one has compiled, the next need not.
  const compiled = mkdtempSync(join(tmpdir(), 'baton-compiled-'));
  process.env['NODE_COMPILE_CACHE'] = compiled;
  const stores = await openStores();
  project.provide('storesSocket', stores.socket);
  return async () => {
    await stores.stop();
    rmSync(compiled, { recursive: true, force: true });
  };
}
