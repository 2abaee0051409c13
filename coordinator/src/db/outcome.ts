import { CoordinatorError } from '@baton/protocol';

/** What one of many calls came to that share a transaction: one that is refused changes nothing, and the others go on. */
export type CallOutcome<T> = { readonly ok: T } | { readonly error: CoordinatorError };

/** What a decision comes to, where a refusal is one of its outcomes. */
export function outcomeOf<T>(decide: () => T): CallOutcome<T> {
  try {
    return { ok: decide() };
  } catch (error) {
    if (error instanceof CoordinatorError) return { error };
    throw error;
  }
}

/** The answer of a call that stands for itself. */
export function answerOf<T>(outcome: CallOutcome<T> | undefined): T {
  if (outcome === undefined) throw new Error('A call has no outcome.');
  if ('error' in outcome) throw outcome.error;
  return outcome.ok;
}
