import type { JsonValue } from '@baton/protocol';

const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Where an agent and its tasks write what happens. Neither secrets nor inputs belong there. */
export interface AgentLog {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, JsonValue | undefined>>;

export type WriteLog = (level: LogLevel, message: string, fields?: LogFields) => void;

export const createLog = (write: WriteLog): AgentLog => ({
  debug: (message, fields) => write('debug', message, fields),
  info: (message, fields) => write('info', message, fields),
  warn: (message, fields) => write('warn', message, fields),
  error: (message, fields) => write('error', message, fields),
});

/** The log of one task of an agent: each message begins with what it is about. */
export const withSubject = (log: AgentLog, subject: string): AgentLog =>
  createLog((level, message, fields) => log[level](`${subject}: ${message}`, fields));

/** Lines for people on standard error: time, level, agent, message, then the fields as `name=value`. What weighs less than `level` is left out. */
export const stderrLog = (agentName: string, least: string | undefined): AgentLog =>
  createLog((level, message, fields) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(toLevel(least))) return;
    const rest = Object.entries(fields ?? {}).flatMap(([name, value]) =>
      value === undefined ? [] : [` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
    );
    process.stderr.write(`${new Date().toISOString()} ${level.toUpperCase()} ${agentName} ${message}${rest.join('')}\n`);
  });

// As the coordinator's BATON_LOG_LEVEL, which also has levels that an agent does not.
const toLevel = (text: string | undefined): LogLevel =>
  logLevels.find((level) => level === text) ?? (text === 'trace' ? 'debug' : text === 'fatal' || text === 'silent' ? 'error' : 'info');
