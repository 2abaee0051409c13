/** What an exit code of a command agent's program says about the task. */
export type ExitMeaning = 'success' | 'retryable' | 'permanent';

export interface ExitCodes {
  readonly success?: readonly number[];
  readonly retryable?: readonly number[];
  readonly permanent?: readonly number[];
}

/** EX_TEMPFAIL of sysexits.h: "temporary failure; user is invited to retry". */
const temporaryFailure = 75;

/**
 * 0 is success. 64 to 78 are the codes of BSD's sysexits.h (wrong usage, bad data, no permission …), which another try would not
 * cure, but for 75, EX_TEMPFAIL. Everything else may pass. A code that is listed means what its list says.
 */
export function meaningOf(code: number, { success = [0], retryable = [], permanent = [] }: ExitCodes = {}): ExitMeaning {
  if (success.includes(code)) return 'success';
  if (permanent.includes(code)) return 'permanent';
  if (retryable.includes(code) || code === temporaryFailure) return 'retryable';
  return code >= 64 && code <= 78 ? 'permanent' : 'retryable';
}
