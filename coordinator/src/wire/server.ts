import { createServer, type IncomingMessage, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CoordinatorError } from '@baton/protocol';
import type { Caller, Peer } from '../call.ts';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import { createAdmission } from './admission.ts';
import { createAnswering, type FailureLog } from './answer.ts';
import type { Authenticate } from './auth.ts';
import { createCallRules } from './call-rules.ts';
import type { CallLimitConfig } from './call-limits.ts';
import { countBytes } from './count-bytes.ts';
import type { Dispatch } from './dispatch.ts';
import { createHttpCalls } from './http-calls.ts';
import { createHttpListener } from './http.ts';
import { listen } from './listen.ts';
import { type Refusal, refuse } from './refusal.ts';
import { createSocketServer, type SocketConfig } from './socket-server.ts';
import { advertisedHost, knownHosts, refuseOpenHost, type Tls } from './tls.ts';
import type { TokenHolders } from './token-holders.ts';

export type WireConfig = SocketConfig &
  CallLimitConfig &
  Pick<
    Config,
    | 'host'
    | 'port'
    | 'publicHosts'
    | 'frameDepthMax'
    | 'batchMax'
    | 'failedAuthenticationsPerMinuteMax'
    | 'headerTimeoutMs'
    | 'idleTimeoutMs'
    | 'metricsPublic'
  >;

export interface WireParts {
  readonly config: WireConfig;
  /** Undefined: nothing is encrypted, which is for this machine only. */
  readonly tls?: Tls | undefined;
  readonly log: FailureLog;
  readonly dispatch: Dispatch;
  readonly authenticate: Authenticate;
  /** Tokens that are let in even from an address that guesses: that of the data folder. */
  readonly knownTokens?: readonly string[];
  readonly holders: TokenHolders;
  /** Fails while the coordinator cannot do its work. Must not write. */
  readonly health: () => Promise<unknown>;
  /** Whether something is still to be done before calls should be sent here. */
  readonly isStarting?: () => boolean;
  readonly metrics: Metrics;
  /** The document served as `/openrpc.json`. */
  readonly openrpc: unknown;
}

export interface Wire {
  /** `ws://host:port/rpc`, or wss */
  readonly url: string;
  /** `http://host:port`, or https */
  readonly httpUrl: string;
  readonly port: number;
  /** The open connection with this id. */
  findPeer(id: string): Peer | undefined;
  /** Takes no new calls, lets those in flight end for at most so long, and closes every connection. */
  stop(drainMs: number): Promise<void>;
}

/** Until another coordinator listens, or this one again. */
const drainingRetryMs = 1_000;
/** How long a stop waits for calls that have been aborted. */
const abortedMs = 1_000;

/**
 * Listens for connections and requests.
 * @throws ConfigError where the host may not be listened on, or the port is taken
 */
export async function startWire(parts: WireParts): Promise<Wire> {
  const { config, tls, log, dispatch, authenticate, knownTokens, holders, health, isStarting, openrpc, metrics } = parts;
  refuseOpenHost(config.host, tls);
  const answering = createAnswering(dispatch, log, metrics);
  const limits = { frameDepthMax: config.frameDepthMax, batchMax: config.batchMax };
  let isStopping = false;
  const refuseAll = () => (isStopping ? new CoordinatorError('draining', { retryAfterMs: drainingRetryMs }) : undefined);

  const callRules = createCallRules({ config, refuseAll, metrics });
  const admission = createAdmission({ config, hosts: knownHosts(config, tls), authenticate, knownTokens, refuseAll, answering, metrics });

  async function admitUpgrade(request: IncomingMessage): Promise<Caller | Refusal> {
    if (request.url?.split('?', 1).join('') !== '/rpc') return refuse('method_unknown', 404, 'Connections go to /rpc.');
    return admission.refuseStranger(request) ?? admission.admit(request);
  }

  async function drain(patience: AbortSignal): Promise<void> {
    do {
      await answering.whenIdle();
      // The last call has ended; its answer is written, and the next one in the queue begun, in the turns that follow.
      await nextTurn();
    } while (sockets.callsInFlight > 0 && !patience.aborted);
  }

  const options: ServerOptions = {
    headersTimeout: config.headerTimeoutMs,
    keepAliveTimeout: config.idleTimeoutMs,
    // For the body as well; a frame of the largest size needs no longer on any network that is of use.
    requestTimeout: 3 * config.headerTimeoutMs,
    connectionsCheckingInterval: Math.ceil(config.headerTimeoutMs / 4),
    // Others, such as h2c, are offers that are passed over.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  };
  const listener = createHttpListener({
    ...admission,
    config,
    limits,
    answering,
    calls: createHttpCalls(config, metrics),
    metrics,
    onMalformed: callRules.onMalformed,
    holders,
    health,
    away: () => (isStopping ? 'draining' : isStarting?.() === true ? 'starting' : undefined),
    openrpc,
  });
  const server =
    tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, cert: tls.cert, key: tls.key, handshakeTimeout: config.headerTimeoutMs }, listener);
  // Upgraded or not; the polite refusal of upgrades comes before.
  server.maxConnections = 2 * config.connectionsMax;
  const sockets = createSocketServer(server, {
    config,
    session: { answering, limits, ...callRules },
    metrics,
    holders,
    admit: admitUpgrade,
  });
  const bytes = countBytes(server);
  metrics.watch('connections', () => sockets.connections);
  metrics.watch('calls_in_flight', () => answering.running);
  metrics.watch('received_bytes_total', bytes.received);
  metrics.watch('sent_bytes_total', bytes.sent);
  const port = await listen(server, config);

  const host = advertisedHost(config, tls);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const secure = tls === undefined ? '' : 's';
  return {
    url: `ws${secure}://${authority}/rpc`,
    httpUrl: `http${secure}://${authority}`,
    port,
    findPeer: sockets.findPeer,
    async stop(drainMs) {
      isStopping = true;
      // Until the last answer has gone the door stays open, to say that there is another one to try.
      await atMost(drainMs, drain);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await sockets.close(1001, 'The coordinator is stopping.');
      server.closeAllConnections();
      await closed;
      // The calls that were not waited for have been told to end; what they hold should be free before the store closes.
      await atMost(abortedMs, () => answering.whenIdle());
    },
  };
}

/** Waits for the work, but not for longer than this. */
async function atMost(ms: number, work: (patience: AbortSignal) => Promise<void>): Promise<void> {
  const patience = new AbortController();
  const done = new AbortController();
  await Promise.race([work(patience.signal), sleep(ms, undefined, { signal: done.signal }).catch(() => {})]);
  done.abort();
  patience.abort();
}
