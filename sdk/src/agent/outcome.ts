import type { JsonValue, NewArtifact, RevocationReason, TaskError } from '@baton/protocol';
import { cutText, toStorable } from '../connection/storable-text.ts';

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
  error: {
    code: toStorable(cutText(code, 128)),
    message: clip(message),
    ...(options.details === undefined ? {} : { details: options.details }),
  },
  permanent: options.permanent ?? false,
});

/** As much of what somebody says as the contract takes; for a message that is 16,000 characters. What no database stores in it is replaced. */
export const clip = (text: string, max = 16_000): string => toStorable(text.length <= max ? text : `${cutText(text, max - 1)}…`);
