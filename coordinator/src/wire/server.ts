import { createServer, type IncomingMessage } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CoordinatorError } from '@baton/protocol';
import { type ErrorObject, toErrorObject } from '@baton/sdk/connection';
import type { Caller, Peer } from '../call.ts';
import { type Config, ConfigError } from '../config.ts';
import { createAnswering, type FailureLog } from './answer.ts';
import { type Authenticate, readBearer } from './auth.ts';
import type { Dispatch } from './dispatch.ts';
import { isLoopback, refuseStranger } from './hosts.ts';
import { createHttpListener } from './http.ts';
import { listen } from './listen.ts';
import { type Refusal, refuse, toRefusal } from './refusal.ts';
import { createSocketServer, type SocketConfig } from './socket-server.ts';

export type WireConfig = SocketConfig &
  Pick<Config, 'host' | 'port' | 'frameDepthMax' | 'batchMax' | 'callsInFlightMax' | 'headerTimeoutMs'>;

export interface WireParts {
  readonly config: WireConfig;
  readonly log: FailureLog;
  readonly dispatch: Dispatch;
  readonly authenticate: Authenticate;
  /** Fails while the coordinator cannot do its work. Must not write. */
  readonly health: () => Promise<unknown>;
  /** The document served as `/openrpc.json`. */
  readonly openrpc: unknown;
}

export interface Wire {
  /** `ws://host:port/rpc` */
  readonly url: string;
  /** `http://host:port` */
  readonly httpUrl: string;
  readonly port: number;
  /** The open connection with this id. */
  findPeer(id: string): Peer | undefined;
  /** Takes no new calls, lets those in flight end for at most so long, and closes every connection. */
  stop(drainMs: number): Promise<void>;
}

/** A call that does not fit in is worth another try when one of the others may have ended. */
const overloadedRetryMs = 100;
/** Until another coordinator listens, or this one again. */
const drainingRetryMs = 1_000;
/** How long a stop waits for calls that have been aborted. */
const abortedMs = 1_000;

/**
 * Listens for connections and requests.
 * @throws ConfigError where the host may not be listened on, or the port is taken
 */
export async function startWire({ config, log, dispatch, authenticate, health, openrpc }: WireParts): Promise<Wire> {
  if (!isLoopback(config.host)) {
    throw new ConfigError(
      `Baton listens on this machine only, and ${config.host} can be reached from others: that needs TLS, which is not there yet. Use --host 127.0.0.1 and a tunnel.`,
    );
  }
  const answering = createAnswering(dispatch, log);
  const limits = { frameDepthMax: config.frameDepthMax, batchMax: config.batchMax };
  let isStopping = false;

  function refuseCall(callsInFlight: number): ErrorObject | undefined {
    if (isStopping) return toErrorObject(new CoordinatorError('draining', { retryAfterMs: drainingRetryMs }));
    if (callsInFlight < config.callsInFlightMax) return undefined;
    return toErrorObject(
      new CoordinatorError('overloaded', { retryAfterMs: overloadedRetryMs, callsInFlightMax: config.callsInFlightMax }),
    );
  }

  const refuseForeign = ({ headers }: IncomingMessage): Refusal | undefined => {
    const reason = refuseStranger(headers, config.host);
    return reason === undefined ? undefined : refuse('access_denied', 403, reason);
  };

  async function admit(request: IncomingMessage): Promise<Caller | Refusal> {
    if (isStopping) return toRefusal(new CoordinatorError('draining', { retryAfterMs: drainingRetryMs }));
    try {
      return (await authenticate(readBearer(request.headers.authorization))) ?? toRefusal(new CoordinatorError('unauthenticated'));
    } catch (error) {
      if (error instanceof CoordinatorError && error.retryable) return toRefusal(error);
      const { data } = answering.explain(error, 'authentication');
      return toRefusal(new CoordinatorError('internal', data as Record<string, unknown>));
    }
  }

  async function admitUpgrade(request: IncomingMessage): Promise<Caller | Refusal> {
    if (request.url?.split('?', 1).join('') !== '/rpc') return refuse('method_unknown', 404, 'Connections go to /rpc.');
    return refuseForeign(request) ?? admit(request);
  }

  async function drain(patience: AbortSignal): Promise<void> {
    do {
      await answering.whenIdle();
      // The last call has ended; its answer is written, and the next one in the queue begun, in the turns that follow.
      await nextTurn();
    } while (sockets.callsInFlight > 0 && !patience.aborted);
  }

  const server = createServer(
    {
      headersTimeout: config.headerTimeoutMs,
      // For the body as well; a frame of the largest size needs no longer on any network that is of use.
      requestTimeout: 3 * config.headerTimeoutMs,
      connectionsCheckingInterval: Math.ceil(config.headerTimeoutMs / 4),
      // Others, such as h2c, are offers that are passed over.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    createHttpListener({ config, limits, answering, admit, refuseStranger: refuseForeign, health, openrpc }),
  );
  // Upgraded or not; the polite refusal of upgrades comes before.
  server.maxConnections = 2 * config.connectionsMax;
  const sockets = createSocketServer(server, { config, session: { answering, limits, refuseCall }, admit: admitUpgrade });
  const port = await listen(server, config);

  const authority = `${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  return {
    url: `ws://${authority}/rpc`,
    httpUrl: `http://${authority}`,
    port,
    findPeer: sockets.findPeer,
    async stop(drainMs) {
      isStopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await atMost(drainMs, drain);
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
