import type { JsonValue, NewArtifact, RevocationReason, TaskError } from '@baton/protocol';

/** Why a running attempt is told to stop. */
export type AbortReason = RevocationReason | 'draining';

/** What an attempt came to: plain data, so that it crosses threads without losing anything. */
export type TaskOutcome = CompletedOutcome | FailedOutcome;

export interface CompletedOutcome {
  readonly kind: 'completed';
  readonly output?: JsonValue;
  readonly summary?: string;
  readonly artifacts: readonly NewArtifact[];
}

export interface FailedOutcome {
  readonly kind: 'failed';
  readonly error: TaskError;
  /** Trying again would not help. */
  readonly permanent: boolean;
}

export const failedOutcome = (
  code: string,
  message: string,
  options: { permanent?: boolean; details?: JsonValue } = {},
): FailedOutcome => ({
  kind: 'failed',
  error: { code, message: clip(message), ...(options.details === undefined ? {} : { details: options.details }) },
  permanent: options.permanent ?? false,
});

/** The most that the contract takes for a message is 16,000 characters. No character is cut in half: no database takes that. */
export const clip = (text: string, max = 16_000): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).replace(/\p{Surrogate}$/u, '')}…`;
