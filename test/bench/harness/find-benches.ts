import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';

const folder = join(import.meta.dirname, '..');

/** The benches by name: every file in `test/bench` that is no test. */
export async function findBenches(): Promise<ReadonlyMap<string, Bench>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')).toSorted();
  const loaded = files.map(async (file) => {
    const { default: bench } = (await import(join(folder, file))) as { readonly default: Bench };
    return [file.slice(0, -'.ts'.length), bench] as const;
  });
  return new Map(await Promise.all(loaded));
}
