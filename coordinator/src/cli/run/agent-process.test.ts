import { expect, onTestFinished, test, vi } from 'vitest';
import { patienceMs } from '../../../../test/support/eventually.ts';
import { isRunning } from '../../../../test/support/is-running.ts';
import { type AgentListeners, startAgentProcess } from './agent-process.ts';

/** An agent that runs a script, with what it has said and how it has ended. */
function start(script: string) {
  const lines: string[] = [];
  const ends: [string, number | undefined][] = [];
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((check) => check());
  const listeners: AgentListeners = {
    onLine: (_, text) => {
      lines.push(text);
      wake();
    },
    onEnd: (_, ending, restartInMs) => {
      ends.push([ending, restartInMs]);
      wake();
    },
  };
  const agent = startAgentProcess({ name: 'a', command: [process.execPath, '-e', script], env: process.env }, listeners);
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (condition()) resolve();
      };
      waiting.add(check);
      check();
    });
  return { agent, lines, ends, until };
}

test('an agent that ends without being told to is started again, later each time, and given up in the end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { agent, ends, until } = start('process.exit(3)');

  for (let count = 1; count <= 4; count += 1) {
    await until(() => ends.length === count);
    vi.runOnlyPendingTimers();
  }

  expect(ends).toEqual([
    ['exit code 3', 500],
    ['exit code 3', 1_000],
    ['exit code 3', 2_000],
    ['exit code 3', undefined],
  ]);
  expect(agent).toMatchObject({ restarts: 3, isAlive: false });
});

test('an agent that is told to stop ends in its own way, and is not started again', async () => {
  const { agent, lines, ends, until } = start(
    "process.on('SIGTERM', () => { console.log('bye'); process.exit() }); setInterval(() => {}, 1e6); console.log('ready')",
  );
  await until(() => lines.includes('ready'));

  await agent.stop();

  await until(() => lines.includes('bye'));
  expect(ends).toEqual([]);
  expect(agent.isAlive).toBe(false);
});

test('what an agent leaves behind ends with it', async () => {
  const { agent, lines, until } = start(
    "const { spawn } = require('node:child_process'); const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' }); console.log(child.pid); setInterval(() => {}, 1e6)",
  );
  await until(() => lines.length === 1);
  const pid = Number(lines[0]);
  expect(isRunning(pid)).toBe(true);

  await agent.stop();

  await expect.poll(() => isRunning(pid), { timeout: patienceMs }).toBe(false);
});

test('a program that is not there is an ending too', async () => {
  const ends: (number | undefined)[] = [];
  const ended = Promise.withResolvers<void>();
  const agent = startAgentProcess(
    { name: 'a', command: ['/nowhere/program'], env: {} },
    {
      onLine: () => undefined,
      onEnd: (_, _ending, restartInMs) => {
        ends.push(restartInMs);
        ended.resolve();
      },
    },
  );

  await ended.promise;
  await agent.stop();

  expect(ends).toEqual([500]);
});
