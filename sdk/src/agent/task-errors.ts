import { CoordinatorError, type JsonValue } from '@baton/protocol';
import { type AbortReason, type FailedOutcome, failedOutcome } from './outcome.ts';

/** Thrown by a task whose failure another try would not cure. */
export class PermanentTaskError extends Error {
  override readonly name = 'PermanentTaskError';
  /** What programs match on; `task_failed` unless given. */
  readonly code: string;
  readonly details: JsonValue | undefined;

  constructor(message: string, options: ErrorOptions & { readonly code?: string; readonly details?: JsonValue } = {}) {
    super(message, options);
    this.code = options.code ?? 'task_failed';
    this.details = options.details;
  }
}

/** The reason of `ctx.signal`: `reason` says why the attempt must stop. */
export class TaskAbortedError extends Error {
  override readonly name = 'TaskAbortedError';
  readonly reason: AbortReason;

  constructor(reason: AbortReason) {
    super(abortMessages[reason]);
    this.reason = reason;
  }
}

const abortMessages = {
  cancelled: 'The task was cancelled.',
  lease_lost: 'The session that held the attempt has ended.',
  timed_out: 'The attempt took longer than it may.',
  phase_closed: 'The phase of the task is closed.',
  draining: 'The agent is shutting down.',
} as const satisfies Record<AbortReason, string>;

/** As many lines of a stack as help to find the place without telling a story. */
const stackLinesMax = 8;

/** What became of an attempt that threw. Anything may be thrown; message, code and the top of the stack are kept. */
export function toFailure(thrown: unknown): FailedOutcome {
  if (!(thrown instanceof Error)) return failedOutcome('task_failed', String(thrown));
  const permanent = isPermanent(thrown);
  const stack = (thrown.stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, stackLinesMax);
  const details: Record<string, JsonValue> = { name: thrown.name, stack: stack.map((line) => line.trim()) };
  if (thrown.cause instanceof Error) details['cause'] = thrown.cause.message;
  if (permanent && thrown.details !== undefined) details['details'] = thrown.details;
  return failedOutcome(codeOf(thrown), thrown.message === '' ? thrown.name : thrown.message, { permanent, details });
}

// By name too: the module of a task may bring its own copy of this package.
const isPermanent = (thrown: Error): thrown is PermanentTaskError =>
  thrown instanceof PermanentTaskError || thrown.name === 'PermanentTaskError';

function codeOf(error: Error): string {
  if (error instanceof CoordinatorError) return error.kind;
  return 'code' in error && typeof error.code === 'string' && error.code !== '' ? error.code : 'task_failed';
}
