import { resolve } from 'node:path';
import { sandboxes } from '@baton/sdk/plugin/host';
import { z } from 'zod';

const ms = (value: number) => z.coerce.number().int().min(1).default(value);
const count = ms;
const list = z.union([
  z.array(z.string()),
  z.string().transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  ),
]);

/**
 * Every setting and every limit, with its unit in its name. Read from the environment as `BATON_` and the name in capitals
 * (`BATON_LEASE_MS=30000`), and from the command line where a command offers it. Nothing else reads the environment.
 */
export const configSchema = z.strictObject({
  /** A PostgreSQL URL. Without one the embedded store in `dataDir` is used. */
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\/[^/]*\/[^/?]+/, 'Expected postgres://user@host:port/database.')
    .optional(),
  /** Where the embedded store, the token and the lock file lie. */
  dataDir: z.string().min(1).default('.baton'),
  host: z.string().min(1).default('127.0.0.1'),
  /** 0 picks a free one. */
  port: z.coerce.number().int().min(0).max(65_535).default(4766),
  /** The certificate chain of the coordinator, a PEM file. With it the doors are wss and https, and another `host` than one of this machine may be listened at. */
  tlsCert: z.string().min(1).optional(),
  /** The key of the certificate, a PEM file. */
  tlsKey: z.string().min(1).optional(),
  /** Names under which callers reach the coordinator, beside its `host` and those in its certificate; with commas between. A request for any other host is refused. */
  publicHosts: list.default([]),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Packages or paths of the plugins that are enabled. */
  plugins: list.default(
    ['criteria', 'command', 'coverage', 'junit', 'json-schema', 'review', 'lease-guard', 'digest'].map((name) => `@baton/plugin-${name}`),
  ),
  /** The plugins that may run programs, if they ask for it, named as in `plugins`. A program can do what the user of the coordinator can. */
  pluginsWithPrograms: list.default(['@baton/plugin-command']),
  /** How plugin code is kept apart: by Node's permission model, or by bubblewrap besides, which also takes away the network. */
  pluginSandbox: z.enum(sandboxes).default('permissions'),
  /** The summarizer that condenses a phase. */
  summarizer: z.string().default('digest'),
  /** What counts the tokens of a pack: an estimate that is close for English, code and digests, or exactly as the models of one provider count, with a package of its own. */
  tokenCounter: z.enum(['tokenx', 'gpt-tokenizer']).default('tokenx'),
  /** A JSON file with the configuration of the summarizer, keys of model providers included. Nobody but its owner may read it (mode 0600). */
  summarizerConfigFile: z.string().min(1).optional(),
  /** How long a reader waits for a summary that is being written. After that the extractive summary is answered, and the other kept for the next. */
  summaryWaitMs: ms(1_500),
  /** How many summaries are written at a time. Each takes one of the threads that gates need, too. */
  summariesInFlightMax: count(1),

  // The wire.
  /** The size of a WebSocket message and of the body of a request. A larger message ends its connection with 1009, a larger body is answered with 413. */
  frameBytesMax: count(4 * 1024 * 1024),
  /** How deep a message may nest. */
  frameDepthMax: count(32),
  /** How many messages a batch may hold. */
  batchMax: count(50),
  /** The calls of one connection that have no answer yet. A few more are taken of those that keep a lease alive. */
  callsInFlightMax: count(64),
  /** The same for all calls over HTTP with one token, and for the bodies that are being received. */
  httpCallsInFlightMax: count(256),
  /** Calls a second that one connection, or one token over HTTP, may go on with for ever. */
  callsPerSecondMax: count(5_000),
  /** Calls that it may make at once after a pause. */
  callsBurstMax: count(10_000),
  /** What may wait to be read by the other side of a connection, behind the message being sent. Beyond it the connection is closed with 4008. */
  outgoingBytesMax: count(1024 * 1024),
  /** WebSocket connections in all. Twice as many sockets of any kind are let in. */
  connectionsMax: count(10_000),
  /** WebSocket connections with one token. */
  connectionsPerTokenMax: count(5_000),
  /** The subscriptions of one connection. */
  subscriptionsMax: count(16),
  /** Requests a minute from one address whose token does not fit. Beyond it they are answered with 429 unexamined. */
  failedAuthenticationsPerMinuteMax: count(60),
  /** A connection that answers no ping for this long is closed. */
  pingMs: ms(15_000),
  /** How long the head of a request may take; for the whole of it there is three times as much, and as much again for its answer to be read. */
  headerTimeoutMs: ms(10_000),
  /** How long an HTTP connection may stay open between two requests. */
  idleTimeoutMs: ms(5_000),
  /** Serves `/metrics` without a token. */
  metricsPublic: z.union([z.boolean(), z.stringbool()]).default(false),
  /** How often it is looked whether the tokens of open connections are still accepted. One whose token is not is closed with 4001. */
  tokenCheckMs: ms(2_000),
  /** How long a stop waits for calls in flight. */
  drainMs: ms(8_000),

  // Sessions. Three beats: one may be lost, two may be a pause, three is an absence.
  heartbeatMs: ms(5_000),
  leaseMs: ms(15_000),
  /** How many beats a second the sessions of one coordinator may make; with more of them the interval is stretched, and the lease with it. */
  beatsPerSecondMax: count(200),
  /** How long a connection may be gone before its session is ended early is the lease; how often sessions are swept is this. */
  sweepMs: ms(1_000),

  // Tasks.
  artifactBytesMax: count(512 * 1024),
  /** How deep tasks that submit tasks may be nested. */
  taskDepthMax: count(10),
  /** How many tasks one task may submit, in all its attempts. */
  taskChildrenMax: count(10_000),
  /** How many tasks of a ticket may be open at a time. Those that a phase makes by itself are not refused. */
  ticketTasksMax: count(100_000),
  /** How many submissions one transaction records at most. */
  submissionBatchMax: count(200),
  /** How many submissions may wait to be recorded. */
  submissionsWaitingMax: count(10_000),
  claimsParkedMax: count(10_000),
  /** How many tasks one matching transaction hands out at most. */
  claimBatchMax: count(500),
  /** How many matching transactions run at a time, of all projects together. Each takes a connection of the pool; projects take turns. */
  matchRoundsMax: count(4),
  /** How many results one transaction records at most. */
  completionBatchMax: count(200),
  /** How many results may wait to be recorded. */
  completionsWaitingMax: count(10_000),
  /** How many acquisitions, releases and renewals of locks one transaction serves at most. */
  lockBatchMax: count(100),
  /** How many of them may wait for their transaction. */
  lockCallsWaitingMax: count(10_000),
  /** How many locks one request may lead to. Every member of a range is one. */
  lockGrantsMax: count(256),
  /** How many requests may wait for one lock, and how many of one session. */
  lockWaitersMax: count(500),
  backoffBaseMs: ms(1_000),
  backoffCapMs: ms(60_000),
  /** The slow look behind the hints. */
  pollMs: ms(1_000),

  // Gates and plugins.
  validatorTimeoutMs: ms(60_000),
  /** How many gates are judged by validators at a time: of one project at most half as many, of one ticket one. */
  judgementsMax: count(64),
  /** The same for those with more than a mebibyte of evidence, which is held in memory meanwhile: of each `pluginEvidenceBytesMax` at most. */
  largeJudgementsMax: count(4),
  /** How many judgements may wait for their turn: a quarter for each purpose (by itself, transition, validation, explanation), of that half for one project, an eighth for one ticket. One more is refused with `overloaded`. */
  judgementsWaitingMax: count(512),
  /** How long a result holds for which a program was run: it looked at files that no digest binds. After that the gate is judged anew. */
  outsideVerdictMs: ms(60_000),
  pluginThreadsMax: count(2),
  pluginMemoryMb: count(256),
  /** What the validators of one gate are shown of its artifacts and tasks, as JSON. Beyond it each of them is an error. Their memory has to hold it. */
  pluginEvidenceBytesMax: count(64 * 1024 * 1024),
  verdictBytesMax: count(256 * 1024),

  // The store.
  poolMax: count(10),
  /** How long a statement may wait for a row that another transaction holds. Beyond it the call is refused with `overloaded`. PostgreSQL only, as the next two. */
  lockTimeoutMs: ms(5_000),
  /** How long a statement may take in all. The largest submission takes a few seconds. */
  statementTimeoutMs: ms(30_000),
  /** How long a transaction may stand still between two statements. Beyond it the database ends it: a coordinator that is stopped in the midst of one holds up the others no longer. */
  idleTransactionTimeoutMs: ms(10_000),
  transactionTriesMax: count(5),
  idempotencyTtlMs: ms(7 * 24 * 3_600_000),
});

export type Config = z.output<typeof configSchema>;

/** A setting that does not fit, for a person to read. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the settings: what the command line gave first, then the environment, then the defaults. */
export function readConfig(given: Partial<z.input<typeof configSchema>>, env: NodeJS.ProcessEnv): Config {
  const fromEnv = Object.keys(configSchema.shape).flatMap((name) => {
    const variable = name === 'databaseUrl' ? 'DATABASE_URL' : toVariable(name);
    const value = env[variable];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const checked = configSchema.safeParse({ ...Object.fromEntries(fromEnv), ...chosen });
  if (!checked.success) {
    const lines = checked.error.issues.map(({ path, message }) => `${path.join('.')} (${toVariable(String(path[0]))}): ${message}`);
    throw new ConfigError(`The configuration does not fit:\n  ${lines.join('\n  ')}`);
  }
  return { ...checked.data, dataDir: resolve(checked.data.dataDir) };
}

const toVariable = (name: string) =>
  name === 'databaseUrl' ? 'DATABASE_URL' : `BATON_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
