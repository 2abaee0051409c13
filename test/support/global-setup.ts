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
  const stores = await openStores();
  project.provide('storesSocket', stores.socket);
  return stores.stop;
}
