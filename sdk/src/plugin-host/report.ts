import type { Finding } from '@baton/protocol';
import type { Report, ValidateInput } from '../plugin/index.ts';
import { findingsMax } from './outcome.ts';
import { toText } from './text.ts';

/** The verbs of one run of a validator, and what was said with them. */
export interface Reporter {
  readonly verbs: Pick<ValidateInput<unknown>, 'fail' | 'warn' | 'info' | 'skip'>;
  /** In the order of the calls. */
  readonly findings: readonly Finding[];
  /** How many more there were: a validator in a loop must not fill the memory before its time is over. */
  omitted(): number;
  skipped(): string | undefined;
}

export function createReporter(): Reporter {
  const findings: Finding[] = [];
  const counts = { fail: 0, warn: 0, info: 0 };
  let omitted = 0;
  let skipped: string | undefined;

  const reportAs =
    (severity: Finding['severity']): Report =>
    (code, message, place = {}) => {
      counts[severity] += 1;
      if (counts[severity] > findingsMax) omitted += 1;
      else findings.push(toFinding(severity, { code, message, place }));
    };

  return {
    verbs: {
      fail: reportAs('fail'),
      warn: reportAs('warn'),
      info: reportAs('info'),
      skip(reason) {
        skipped = toText(reason, 4_000);
      },
    },
    findings,
    omitted: () => omitted,
    skipped: () => skipped,
  };
}

/** Plugins need not be typed: whatever they say becomes text, so that a clumsy `fail` is still a `fail`. */
function toFinding(
  severity: Finding['severity'],
  said: { code: unknown; message: unknown; place: { path?: unknown; line?: unknown } | null },
): Finding {
  const { path, line } = said.place ?? {};
  return {
    severity,
    code: toText(said.code, 128),
    message: toText(said.message, 4_000),
    ...(path === undefined ? {} : { path: toText(path, 1_024) }),
    ...(Number.isInteger(line) ? { line: Number(line) } : {}),
  };
}
