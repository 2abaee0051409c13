import { CoordinatorError } from '@baton/protocol';

const codeOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // The ORM wraps what the driver threw.
  return 'cause' in error ? codeOf(error.cause) : undefined;
};

/** Serialization failure and deadlock: the database gave up a transaction that may well succeed when run again. */
export const mayRunAgain = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error) ?? '');

/** Connection exceptions (class 08), shutdown (57P0x), too many connections, and what the operating system says of a socket. */
const unavailable = /^(08...|57P0[123]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ENOENT|ETIMEDOUT)$/;

/** What the driver says of a connection that it gave up by itself, without a code. */
const connectionLost = /^(Connection terminated|timeout e|Client has encountered a connection error|Client was closed)/;

function hasLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return connectionLost.test(error.message) || hasLostConnection(error.cause);
}

export const isUniqueViolation = (error: unknown): boolean => codeOf(error) === '23505';

/** What the database threw, in the words of the catalogue where it has some; the one place that reads SQLSTATEs. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof CoordinatorError) return error;
  const code = codeOf(error);
  if (code === undefined ? hasLostConnection(error) : unavailable.test(code))
    return new CoordinatorError('database_unavailable', { retryAfterMs: 1_000 }, { cause: error });
  if (mayRunAgain(error)) return new CoordinatorError('overloaded', { retryAfterMs: 100 }, { cause: error });
  return error;
}
