import { glob } from 'node:fs/promises';

/** Paths relative to the folder, with slashes, in order. */
export async function findFiles(root: string, pattern: string): Promise<string[]> {
  const found: string[] = [];
  const exclude = (path: string) => /(^|[\\/])(node_modules|\.git)$/.test(path);
  for await (const path of glob(pattern, { cwd: root, exclude })) found.push(path.replaceAll('\\', '/'));
  return found.sort();
}
