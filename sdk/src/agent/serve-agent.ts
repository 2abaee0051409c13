import { type Claim, type Client, CoordinatorError } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ConnectOptions } from '../connection/connect.ts';
import { toHttpUrl } from '../connection/endpoints.ts';
import { ConnectionError } from '../connection/wire-errors.ts';
import type { AgentLog } from './agent-log.ts';
import { AgentReplacedError } from './agent-replaced-error.ts';
import { createClaimLoop } from './claim-loop.ts';
import { drainAgent } from './drain-agent.ts';
import type { Executor } from './executor.ts';
import { createHeart } from './heart.ts';
import { watchProcess } from './process-edge.ts';
import { type AttemptEnd, startAttempt } from './run-attempt.ts';
import { type AgentIdentity, createSession, type SessionAnswer } from './session.ts';

/** What an agent does, as it does it. */
export type AgentActivity =
  | { readonly kind: 'registered'; readonly session: SessionAnswer }
  | { readonly kind: 'beat' }
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'ended'; readonly claim: Claim; readonly end: AttemptEnd }
  | { readonly kind: 'draining' };

export interface ServeOptions {
  /** The coordinator's address, such as `ws://127.0.0.1:4766/rpc`. */
  readonly url: string;
  readonly token?: string;
  readonly tokenFile?: string;
  /** For `wss`: the certificates of the authorities to trust, as PEM. Unless given, those that Node trusts. */
  readonly ca?: string;
  /** Drains the agent when it aborts. */
  readonly signal?: AbortSignal;
  /** How long running tasks may go on once the agent drains, before they are stopped and given back; 10 s unless given. */
  readonly drainMs?: number;
  /** Whether SIGTERM, SIGINT and the end of the parent process drain the agent. True unless given. */
  readonly watchProcess?: boolean;
  readonly onActivity?: (activity: AgentActivity) => void;
  readonly log?: AgentLog;
}

interface ServedAgent {
  readonly identity: AgentIdentity;
  readonly log: AgentLog;
  readonly createExecutor: (client: Client) => Executor;
}

/** How long tasks may take to stop after the parent process has died. */
const abandonMs = 1_000;
/** How long their threads and programs may take to end then, and the last reports for a coordinator that may have gone as well. */
const lastReportsMs = 2_000;

/**
 * Connects an agent, gives it work and settles when it has drained.
 *
 * @throws ConnectionError or CoordinatorError when it cannot connect, is refused, or loses its place for good.
 */
export async function serveAgent(options: ServeOptions, { identity, log, createExecutor }: ServedAgent): Promise<void> {
  const { onActivity = () => {} } = options;
  const place = toPlace(options);
  await using connection = await connect(place);
  const { client } = connection;
  const executor = createExecutor(client);
  const leave = new AbortController();
  options.signal?.addEventListener('abort', () => leave.abort(), { once: true });
  if (options.signal?.aborted === true) leave.abort();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);

  const heart = createHeart({ place: { ...place, httpUrl: toHttpUrl(place.url) }, log, onNews: (news) => session.takeNews(news) });
  const session = createSession({
    client,
    identity,
    log,
    running: () => loop.running(),
    onRegistered(answer) {
      heart.follow(answer);
      onActivity({ kind: 'registered', session: answer });
    },
    onRevoked: (attempt, reason) => loop.revoke(attempt, reason),
    onBeat: () => onActivity({ kind: 'beat' }),
  });
  const loop = createClaimLoop({
    client,
    capacity: identity.capacity,
    log,
    start(claim) {
      onActivity({ kind: 'claimed', claim });
      return startAttempt({ client, executor, graceMs: session.graceMs, log }, claim);
    },
    onEnded: (claim, end) => onActivity({ kind: 'ended', claim, end }),
    onRunning: heart.report,
    renewSession: session.renew,
  });

  connection.onNotification('task/revoked', ({ reason, ...attempt }) => loop.revoke(attempt, reason));
  connection.onNotification('lock/lost', ({ key, fence }) => executor.loseLock(key, fence));
  connection.onNotification('agent/sessionEnded', ({ sessionId, reason }) => {
    if (sessionId !== session.sessionId) return;
    loop.revokeAll('lease_lost');
    // The end that follows our own goodbye is no news.
    if (leave.signal.aborted) return;
    log.warn('the session has ended', { reason });
    if (reason !== 'superseded' && reason !== 'terminated') return void session.renew();
    // A call that is refused in the same moment must not register anew and end its successor.
    session.stop();
    ended.reject(
      reason === 'superseded'
        ? new AgentReplacedError(identity.name)
        : new CoordinatorError('agent_terminated', { agentName: identity.name }),
    );
  });
  connection.onClose(({ willReconnect, reason }) => {
    if (willReconnect) log.warn('the connection to the coordinator is lost; trying again', { reason });
    else ended.reject(new ConnectionError('closed', `The connection to the coordinator has ended. ${reason}`));
  });

  const stopBeating = () => {
    session.stop();
    void heart.stop();
  };
  const abandon = async () => {
    loop.stop();
    loop.abortAll('draining');
    await Promise.race([loop.idle(), delay(abandonMs)]);
    // What is ended by that is told still, with what it noted.
    await Promise.race([Promise.all([executor.close(), loop.idle()]), delay(lastReportsMs)]);
  };
  using _watch = options.watchProcess === false ? undefined : watchProcess({ log, drain: () => leave.abort(), abandon });
  try {
    await connection.onOpen(session.register);
    const working = loop.run();
    await Promise.race([ended.promise, aborted(leave.signal)]);

    onActivity({ kind: 'draining' });
    await Promise.race([
      ended.promise,
      drainAgent({ client, loop, working, log, graceMs: session.graceMs, drainMs: options.drainMs, stopBeating }),
    ]);
  } finally {
    loop.stop();
    loop.revokeAll('lease_lost');
    session.stop();
    await Promise.all([heart.stop(), executor.close()]);
  }
}

const toPlace = ({ url, token, tokenFile, ca }: ServeOptions): ConnectOptions => ({
  url,
  ...(ca === undefined ? {} : { ca }),
  ...(token === undefined ? {} : { token }),
  ...(tokenFile === undefined ? {} : { tokenFile }),
});

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
