import { CoordinatorError } from '@baton/protocol';

/** The coordinator knows no session of this caller any more. */
export const isSessionGone = (error: unknown): boolean =>
  error instanceof CoordinatorError && (error.kind === 'session_unknown' || error.kind === 'session_required');
