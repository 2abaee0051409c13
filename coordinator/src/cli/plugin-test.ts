import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError, type Shell } from './shell.ts';

/** `baton plugin test`: runs the tests of a plugin package with the test runner of Node. The exit code is 1 where one fails. */
export async function testPlugin(shell: Shell, folder: string): Promise<number> {
  const cwd = resolve(folder);
  const files = await findTests(cwd);
  if (files.length === 0) throw new CommandError(`There are no tests in ${cwd}: files such as index.test.js.`, { exitCode: 2 });
  // As this command was started itself, so that both find the same packages.
  const [program, ...options] = shell.self.slice(0, -1);
  if (program === undefined) throw new TypeError('A shell names the program that it runs.');
  const child = spawn(program, [...options, '--test', '--test-reporter=spec', ...files], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(shell.stdout, { end: false });
  child.stderr.pipe(shell.stderr, { end: false });
  // Ctrl-C reaches the tests as well; this command waits for what they say to it.
  const stopListening = shell.onInterrupt((signal) => child.kill(signal));
  try {
    const [code] = await once(child, 'close');
    return code === 0 ? 0 : 1;
  } finally {
    stopListening();
  }
}

async function findTests(cwd: string): Promise<string[]> {
  const found: string[] = [];
  const isElsewhere = (name: string) => name === 'node_modules' || name === 'dist';
  for await (const file of glob('**/*.test.{js,mjs,cjs,ts,mts}', { cwd, exclude: isElsewhere })) found.push(file);
  return found.sort();
}
