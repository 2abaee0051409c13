import type { Verdict } from '@baton/protocol';
import { reasonsOf } from './gate-rules.ts';
import type { Said } from './hear-validators.ts';

/**
 * What takes the place of what validators said where the database cannot store it, whatever that is: none has come to a verdict.
 * It holds the gate wherever the validator is required, since what it said may have done so.
 */
export function withoutWords({ verdicts, looksOutside }: Said, sqlState: string): Said {
  const message = `What it said cannot be stored (SQLSTATE ${sqlState}). The log of the coordinator names the cause.`;
  const unstored = verdicts.map((verdict): Verdict => ({
    ...verdict,
    outcome: 'error',
    findings: [{ severity: 'fail', code: 'not_stored', message }],
  }));
  return { verdicts: unstored, held: unstored.flatMap((verdict) => reasonsOf(verdict, { onError: 'block' })), looksOutside };
}
