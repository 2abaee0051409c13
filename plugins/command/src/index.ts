import { definePlugin, defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { readSaid } from './read-said.ts';
import { runProgram } from './run-program.ts';

const command = defineValidator({
  name: 'command',
  config: z.strictObject({
    /** The program and its arguments. No shell reads them. */
    command: z.tuple([z.string().min(1)], z.string()),
    /** Where it runs. Without one, where the coordinator was started. */
    cwd: z.string().min(1).optional(),
    /** Beside what it needs to be found and to run. */
    env: z.record(z.string(), z.string()).default({}),
    /** Without one the time of the gate's validator is all there is. */
    timeoutMs: z.int().min(1).optional(),
    /** What it is given on standard input: `{ artifacts, facts }` in JSON, or nothing. */
    input: z.enum(['facts', 'none']).default('facts'),
  }),
  async validate({ config, artifacts, facts, signal, fail, warn, info, skip }) {
    const { command, timeoutMs } = config;
    const input = config.input === 'facts' ? JSON.stringify({ artifacts, facts }) : undefined;
    const ending = timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const ended = await runProgram(command, { cwd: config.cwd, env: config.env, input, signal: ending });

    const said = readSaid(ended.stdout);
    const report = { fail, warn, info };
    for (const { severity, code, message, path, line } of said.findings) report[severity](code, message, { path, line });
    if (said.skip !== undefined) skip(said.skip);

    // What the program says in its own words is enough of a reason.
    if (ended.succeeded || said.findings.some(({ severity }) => severity === 'fail')) return;
    const tail = ended.stderrTail.trim();
    fail('command_failed', `${command.join(' ')} ended with ${ended.how}${tail === '' ? '.' : `:\n${tail}`}`);
  },
});

export default definePlugin({ name: 'command', apiVersion: 1, validators: [command] });
