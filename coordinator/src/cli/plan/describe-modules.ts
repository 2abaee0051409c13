import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { remedyFor } from '../module-remedy.ts';
import type { CommandLine } from '../shell.ts';

/** What an agent's module says of its agent, or why it could not be asked. `types` are among the `capabilities`. */
export type ModuleAnswer = { readonly capabilities: readonly string[]; readonly types: readonly string[] } | { readonly error: string };

export type DescribeModules = (files: readonly string[]) => Promise<ReadonlyMap<string, ModuleAnswer>>;

/** The hidden command that answers in the child process. */
export const describeCommand = 'describe-modules';

/** Longer than any module takes to load; a module that waits for something at import never ends. */
const loadMsMax = 30_000;

/**
 * Loads agent modules in a process of their own and asks what they offer: foreign code is not run in ours. One process serves
 * all; a module that ends it has failed, and the rest is loaded in the next.
 */
export async function describeModules(self: CommandLine, files: readonly string[]): Promise<ReadonlyMap<string, ModuleAnswer>> {
  const answers = new Map<string, ModuleAnswer>();
  for (let left = [...new Set(files)]; left.length > 0; left = left.filter((file) => !answers.has(file))) {
    const ending = await askChild(self, left, answers);
    const culprit = left.find((file) => !answers.has(file));
    if (culprit !== undefined) answers.set(culprit, { error: `the module does not load: ${ending}` });
  }
  return answers;
}

const answerMessage = z.object({
  file: z.string(),
  answer: z.union([z.object({ error: z.string() }), z.object({ capabilities: z.array(z.string()), types: z.array(z.string()) })]),
});

function askChild([program, ...options]: CommandLine, files: readonly string[], answers: Map<string, ModuleAnswer>): Promise<string> {
  const child = spawn(program, [...options, describeCommand], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const { promise, resolve } = Promise.withResolvers<string>();
  let ending: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const restartTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ending = `it was not done after ${loadMsMax / 1_000} s`;
      child.kill('SIGKILL');
    }, loadMsMax);
  };
  child.on('message', (message) => {
    const { file, answer } = answerMessage.parse(message);
    answers.set(file, answer);
    restartTimer();
  });
  child.once('error', (error) => resolve(error.message));
  child.once('close', (code, signal) => {
    clearTimeout(timer);
    resolve(ending ?? `it ended the process with ${signal ?? `exit code ${code}`}`);
  });
  restartTimer();
  sendTo(child, files);
  return promise;
}

// A child that is gone already is told by its close.
const sendTo = (child: ChildProcess, files: readonly string[]) => void child.send(files, () => undefined);

/** The child's side: answers for each file in turn, and ends. */
export async function answerForModules(ipc: NodeJS.Process): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  ipc.once('message', (message) => resolve(z.array(z.string()).parse(message)));
  for (const file of await promise) ipc.send?.({ file, answer: await describeModule(file) });
  ipc.disconnect();
}

async function describeModule(file: string): Promise<ModuleAnswer> {
  // Only here: the SDK's agent part is no part of the coordinator.
  const { describeAgent } = await import('@baton/sdk');
  try {
    const { capabilities, tasks } = await describeAgent(pathToFileURL(file));
    return { capabilities, types: tasks.map(({ type }) => type) };
  } catch (error) {
    if (!existsSync(file)) return { error: 'there is no such file' };
    const cause = error instanceof Error ? error.cause : undefined;
    return {
      error:
        cause === undefined
          ? 'the module is not an agent: its default export must come from defineAgent'
          : `the module does not load: ${messageOf(cause)}${remedyFor(cause)}`,
    };
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node puts the place of a syntax error before the stack, not into the message.
  const place = error instanceof SyntaxError ? /^(.+:\d+)\n/.exec(error.stack ?? '')?.[1] : undefined;
  return `${error.message.split('\n')[0]}${place === undefined ? '' : ` (${place.replace('file://', '')})`}`;
}
