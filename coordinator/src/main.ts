#!/usr/bin/env node
import { runProgram } from './cli/program.ts';
import type { Shell } from './cli/shell.ts';

// A reader that has seen enough (`baton tasks | head`) closes the pipe: no reason to cry.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const signals = ['SIGINT', 'SIGTERM'] as const;

const shell: Shell = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  self: [process.execPath, ...process.execArgv, import.meta.filename],
  onInterrupt(listener) {
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
  exitNow: (exitCode) => process.exit(exitCode),
};

process.exitCode = await runProgram(shell, process.argv.slice(2));
