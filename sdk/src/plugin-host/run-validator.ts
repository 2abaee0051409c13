import type { Validator } from '../plugin/index.ts';
import type { ValidateJob } from './job.ts';
import { boundFindings, type ThreadAnswer } from './outcome.ts';
import { readPluginConfig } from './plugin-config.ts';
import { createReporter } from './report.ts';

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly bytesMax: number;
}

/** Runs one validator. Throws what the validator throws. */
export async function runValidator(validator: Validator, job: ValidateJob, { signal, bytesMax }: RunOptions): Promise<ThreadAnswer> {
  const config = await readPluginConfig(validator, job.config);
  if (!config.fits) return { kind: 'refused', findings: boundFindings(config.findings, { bytesMax }) };

  const { verbs, findings, omitted, skipped } = createReporter();
  const returned: unknown = await validator.validate({
    config: config.value,
    artifacts: job.artifacts,
    facts: job.facts,
    signal,
    ...verbs,
  });
  // `return false` and `return { ok: false }` are how other systems say no: here they would pass unheard.
  if (returned !== undefined) {
    const message = 'The validator returned a value. It must report with fail, warn, info or skip and return nothing.';
    return { kind: 'refused', findings: [{ severity: 'fail', code: 'answer_invalid', message }] };
  }

  const reason = skipped();
  return {
    kind: 'judged',
    findings: boundFindings(findings, { bytesMax, omitted: omitted() }),
    ...(reason === undefined ? {} : { skipped: reason }),
  };
}
