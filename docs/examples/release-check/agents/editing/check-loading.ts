import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { runProgram, tailOf } from '../project/run-program.ts';

export type LoadingProblem = { readonly kind: 'broken' | 'unknown'; readonly reason: string };

const loadingMs = 10_000;

/**
 * Imports a module of the project in a process of its own that may read files and do nothing else: no writing, no
 * programs. Undefined where it loads. A module that needs more than that to load, or packages that the scratch copy
 * does not have, is neither proved nor disproved.
 */
export async function checkLoading(root: string, path: string, signal: AbortSignal): Promise<LoadingProblem | undefined> {
  if (/\.[jt]sx$/.test(path)) return { kind: 'unknown', reason: 'Node does not load JSX' };
  const script = `import(${JSON.stringify(pathToFileURL(join(root, path)).href)}).then(() => process.exit(0))`;
  const { exitCode, stderr } = await runProgram([process.execPath, '--permission', '--allow-fs-read=*', '--eval', script], {
    cwd: root,
    signal,
    timeoutMs: loadingMs,
  });
  if (exitCode === 0) return undefined;
  if (exitCode === undefined) return { kind: 'unknown', reason: `it does not finish loading within ${loadingMs} ms` };
  const reason = stderr.split('\n').find((line) => /\w*Error\b.*:/.test(line)) ?? tailOf(stderr);
  const isBroken = /SyntaxError|ERR_INVALID_TYPESCRIPT_SYNTAX|does not provide an export/.test(stderr);
  return { kind: isBroken ? 'broken' : 'unknown', reason: reason.trim() };
}
