import { defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { describeEnd, endOf, programConfig } from './program-config.ts';
import { readDocument } from './read-document.ts';
import { runProgram } from './run-program.ts';

/**
 * A validator in any language: one JSON document in, `{ config, artifacts, facts }`, and one out, `{ findings, skip? }`. A program
 * that does not answer so has not judged, which is the verdict `error`.
 */
export const exec = defineValidator({
  name: 'exec',
  config: programConfig.extend({
    /** Handed to the program as it is. */
    config: z.record(z.string(), z.json()).default({}),
  }),
  async validate({ config: settings, artifacts, facts, signal, fail, warn, info, skip }) {
    const { command, cwd, env, timeoutMs, config } = settings;
    const input = JSON.stringify({ config, artifacts, facts });
    const ended = await runProgram(command, { cwd, env, input, signal: endOf(signal, timeoutMs) });
    if (!ended.succeeded) throw new Error(describeEnd(command, ended));

    const said = readDocument(ended);
    const report = { fail, warn, info };
    for (const { severity, code, message, path, line } of said.findings) report[severity](code, message, { path, line });
    if (said.skip !== undefined) skip(said.skip);
  },
});
