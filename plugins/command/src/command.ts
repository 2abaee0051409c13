import { defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { describeEnd, endOf, programConfig } from './program-config.ts';
import { readSaid } from './read-said.ts';
import { runProgram } from './run-program.ts';

/** Runs a program that knows nothing of Baton: its exit code is the verdict. It may say more. */
export const command = defineValidator({
  name: 'command',
  config: programConfig.extend({
    /** What it is given on standard input: `{ artifacts, facts }` in JSON, or nothing. */
    input: z.enum(['facts', 'none']).default('facts'),
  }),
  async validate({ config, artifacts, facts, signal, fail, warn, info, skip }) {
    const { command, cwd, env, timeoutMs } = config;
    const input = config.input === 'facts' ? JSON.stringify({ artifacts, facts }) : undefined;
    const ended = await runProgram(command, { cwd, env, input, signal: endOf(signal, timeoutMs) });

    const said = readSaid(ended);
    const report = { fail, warn, info };
    for (const { severity, code, message, path, line } of said.findings) report[severity](code, message, { path, line });
    if (said.skip !== undefined) skip(said.skip);

    // What the program says in its own words is enough of a reason.
    if (ended.succeeded || said.findings.some(({ severity }) => severity === 'fail')) return;
    fail('command_failed', describeEnd(command, ended));
  },
});
