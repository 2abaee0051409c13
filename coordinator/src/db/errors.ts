import { CoordinatorError } from '@baton/protocol';

const codeOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // The ORM wraps what the driver threw.
  return 'cause' in error ? codeOf(error.cause) : undefined;
};

/** Serialization failure and deadlock: the database gave up a transaction that may well succeed when run again. */
export const mayRunAgain = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error) ?? '');

/**
 * Connection exceptions (class 08), shutdown (57P0x), too many connections, a connection that the database has ended because it
 * or its transaction stood still for too long (57P05, 25P03, 25P04), and what the operating system says of a socket.
 */
const unavailable = /^(08...|57P0[1235]|25P0[34]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ENOENT|ETIMEDOUT)$/;

/**
 * A statement waited too long for a row (55P03) or took too long (57014), and the transaction is rolled back. It is not run again
 * here: each try may take as long, and a call has waited long enough.
 */
const tookTooLong = /^(55P03|57014)$/;

/** What the driver says of a connection that it gave up by itself, without a code. */
const connectionLost = /^(Connection terminated|timeout e|Client has encountered a connection error|Client was closed)/;

function hasLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return connectionLost.test(error.message) || hasLostConnection(error.cause);
}

export const isUniqueViolation = (error: unknown): boolean => codeOf(error) === '23505';

/** The SQLSTATE of an error that is about a value that was to be stored: a data exception (class 22), or a limit of the database (54). */
export function findDataFault(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^(22|54)...$/.test(code) ? code : undefined;
}

/** What the database threw, in the words of the catalogue where it has some; the one place that reads SQLSTATEs. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof CoordinatorError) return error;
  const code = codeOf(error);
  if (code === undefined ? hasLostConnection(error) : unavailable.test(code))
    return new CoordinatorError('database_unavailable', { retryAfterMs: 1_000 }, { cause: error });
  if (code !== undefined && tookTooLong.test(code)) return new CoordinatorError('overloaded', { retryAfterMs: 1_000 }, { cause: error });
  if (mayRunAgain(error)) return new CoordinatorError('overloaded', { retryAfterMs: 100 }, { cause: error });
  return error;
}

/** What may be logged of a database error: its message, and what it says beside it, carry the values of rows and parameters. */
export interface DatabaseErrorSummary {
  readonly code: string | undefined;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly routine: string | undefined;
}

/** Undefined where it is no error that the database told of. The drivers of both stores give such an error a severity. */
export function summarizeDatabaseError(error: Error): DatabaseErrorSummary | undefined {
  if (!('severity' in error)) return undefined;
  const read = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : undefined;
  };
  return { code: read('code'), constraint: read('constraint'), table: read('table'), routine: read('routine') };
}
