import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { summarizeDatabaseError } from './db/errors.ts';

export type Log = Logger;

/** Structured lines on standard error, so that standard output belongs to the command. Neither secrets nor payloads are logged. */
export function createLog(
  { logLevel }: Pick<Config, 'logLevel'>,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  const serializers = { err: (error: unknown) => toLoggable(error) };
  return pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, destination);
}

const causesMax = 5;

/** An error with its causes. Of what the database told there is no message: it may repeat the values it was given. */
function toLoggable(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack = '', cause } = error;
  const told = summarizeDatabaseError(error) ?? {
    message,
    ...('code' in error && { code: error.code }),
    ...('kind' in error && { kind: error.kind }),
  };
  return {
    type: name,
    ...told,
    // Its frames only: what stands before them is the message once more.
    stack: stack
      .split('\n')
      .filter((line) => line.startsWith('    at '))
      .join('\n'),
    ...(cause instanceof Error && depth < causesMax && { cause: toLoggable(cause, depth + 1) }),
  };
}
