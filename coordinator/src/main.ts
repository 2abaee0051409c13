#!/usr/bin/env node
import { runProgram } from './cli/program.ts';
import type { Shell } from './cli/shell.ts';

// A reader that has seen enough (`baton tasks | head`) closes the pipe: no reason to cry.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Without a listener this signal opens Node's inspector, and whoever connects to that may do what this process may. A plugin can send it.
process.on('SIGUSR1', () => {});

const signals = ['SIGINT', 'SIGTERM'] as const;

const shell: Shell = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  // For the time until that listener is there, too.
  self: [process.execPath, ...new Set([...process.execArgv, '--disable-sigusr1']), import.meta.filename],
  onInterrupt(listener) {
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
  exitNow: (exitCode) => process.exit(exitCode),
};

process.exitCode = await runProgram(shell, process.argv.slice(2));
