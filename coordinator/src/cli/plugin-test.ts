import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { CommandError, type Shell } from './shell.ts';
import { showLines } from './show-lines.ts';

/** `baton plugin test`: runs the tests of a plugin package with the test runner of Node. The exit code is 1 where one fails. */
export async function testPlugin(shell: Shell, folder: string): Promise<number> {
  const cwd = resolve(folder);
  const files = await findTests(cwd);
  if (files.length === 0) throw new CommandError(`There are no tests in ${cwd}: files such as index.test.js.`, { exitCode: 2 });
  if (!hasSdk(cwd))
    throw new CommandError(
      `@baton/sdk is not installed in ${cwd}. Run \`npm install\` there, or, with a clone of Baton, put the plugin into a folder of the clone.`,
      { exitCode: 2 },
    );
  // As this command was started itself, so that both find the same packages.
  const [program, ...options] = shell.self.slice(0, -1);
  if (program === undefined) throw new TypeError('A shell names the program that it runs.');
  const child = spawn(program, [...options, '--test', '--test-reporter=spec', ...files], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  // Ctrl-C reaches the tests as well; this command waits for what they say to it.
  const stopListening = shell.onInterrupt((signal) => child.kill(signal));
  try {
    const [[code]] = await Promise.all([once(child, 'close'), print(child.stdout, shell.stdout), print(child.stderr, shell.stderr)]);
    return code === 0 ? 0 : 1;
  } finally {
    stopListening();
  }
}

/** What tests say holds what plugins say, of which a terminal obeys nothing. */
const print = (said: Readable, stream: NodeJS.WritableStream): Promise<void> =>
  pipeline(said.setEncoding('utf8'), showLines, stream, { end: false });

/** Whether packages that are looked for from there upwards have the SDK among them. */
function hasSdk(folder: string): boolean {
  try {
    return findPackageJSON('@baton/sdk', pathToFileURL(join(folder, 'package.json'))) !== undefined;
  } catch {
    return false;
  }
}

async function findTests(cwd: string): Promise<string[]> {
  const found: string[] = [];
  const isElsewhere = (name: string) => name === 'node_modules' || name === 'dist';
  for await (const file of glob('**/*.test.{js,mjs,cjs,ts,mts}', { cwd, exclude: isElsewhere })) found.push(file);
  return found.sort();
}
