import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runProgram } from '../../coordinator/src/cli/program.ts';
import type { Daemon } from './daemon.ts';

const main = join(import.meta.dirname, '..', '..', 'coordinator', 'src', 'main.ts');

/**
 * Runs a `baton` command to its end in this process, which costs a tenth of one of its own. What is about a process (signals,
 * its folder, its end) starts one: `process.ts`. The programs that a command starts are real.
 */
export async function runBaton(args: readonly string[], { isTTY = false } = {}) {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  const self = [process.execPath, '--conditions=source', main] as const;
  const printed = Promise.all([text(stdout), text(stderr)]);
  const code = await runProgram({ env: {}, stdout, stderr, self, onInterrupt: () => () => {}, exitNow: () => {} }, args);
  stdout.end();
  stderr.end();
  const [said, complained] = await printed;
  return { code, stdout: said, stderr: complained };
}

/** Runs a command that speaks to this coordinator. */
export const runBatonAt = ({ httpUrl, tokenFile }: Pick<Daemon, 'httpUrl' | 'tokenFile'>, ...args: readonly string[]) =>
  runBaton([...args, '--url', httpUrl, '--token-file', tokenFile]);
