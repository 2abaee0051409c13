import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoordinatorError, type Durability, type JsonObject } from '@baton/protocol';
import { readToken } from '@baton/sdk/connection';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { ensureTokenFile, writeAddress } from './access-files.ts';
import { agentHandlers } from './agent/agent.rpc.ts';
import { createFindSession } from './agent/find-session.ts';
import { createLiveSessions, type LiveSessions } from './agent/live-sessions.ts';
import { createPaceSetter } from './agent/pace.ts';
import { livenessOf, type SessionParts } from './agent/session.service.ts';
import { forgivePause, listEndedSessions } from './agent/session.store.ts';
import { approvalHandlers } from './approval/approval.rpc.ts';
import { type ArtifactSchemas, createArtifactSchemas } from './artifact/artifact-schemas.ts';
import { artifactHandlers } from './artifact/artifact.rpc.ts';
import type { Handlers } from './call.ts';
import type { Config } from './config.ts';
import { contextHandlers } from './context/context.rpc.ts';
import { createPackParts } from './context/pack-parts.ts';
import type { PackParts } from './context/pack.service.ts';
import { createTokenCounter, openTokenCounter, type TokenCounter } from './context/token-counter.ts';
import { coordinatorHandlers, openRpcDocument } from './coordinator-info.rpc.ts';
import { holdDataFolder } from './data-folder.ts';
import { type Changes, createChanges } from './db/changes.ts';
import { createGroupedRead } from './db/grouped-read.ts';
import { startListening } from './db/listen.ts';
import { openStore, type Store } from './db/open-store.ts';
import { rowsOf } from './db/rows.ts';
import type { Database } from './db/transaction.ts';
import { eventHandlers } from './event/event.rpc.ts';
import { createSubscriptions, type Subscriptions } from './event/subscriptions.ts';
import { gateHandlers } from './gate/gate.rpc.ts';
import { createJudgementTurns } from './gate/judgement-turns.ts';
import { lockHandlers } from './lock/lock.rpc.ts';
import { createRequestWaiters, type RequestWaiters } from './lock/request-waiters.ts';
import { createLog, type Log } from './log.ts';
import { createAttemptSweeper } from './loops/attempt-sweeper.ts';
import { createEventPublisher } from './loops/event-publisher.ts';
import { createHouseKeeper } from './loops/house-keeper.ts';
import { createLockSweeper } from './loops/lock-sweeper.ts';
import type { Loop } from './loops/loop.ts';
import { createSessionNotifier } from './loops/session-notifier.ts';
import { createSessionSweeper, pauseMsOf } from './loops/session-sweeper.ts';
import { createTicketAdvancer } from './loops/ticket-advancer.ts';
import { createTokenWatcher } from './loops/token-watcher.ts';
import { measureProcess } from './measure-process.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openPlugins } from './plugins/open-plugins.ts';
import { pluginHandlers } from './plugins/plugin.rpc.ts';
import { projectHandlers } from './project/project.rpc.ts';
import { ensureDefaultProject, recordEverywhere } from './project/project.service.ts';
import { schedulerHandlers } from './scheduler/scheduler.rpc.ts';
import { readSummarizerConfig } from './summarizer-config.ts';
import { type ClaimQueue, createClaimQueue } from './task/claim-queue.ts';
import { countOpenTasks } from './task/task-counts.store.ts';
import { taskHandlers } from './task/task.rpc.ts';
import { phaseHandlers, ticketHandlers } from './ticket/ticket.rpc.ts';
import type { TicketParts } from './ticket/ticket.service.ts';
import { tokenHandlers } from './token/token.rpc.ts';
import { findTokens } from './token/token.store.ts';
import { createAuthenticate, createToken } from './wire/auth.ts';
import { createDispatch, type Dispatch } from './wire/dispatch.ts';
import { startWire } from './wire/server.ts';
import { readTls } from './wire/tls.ts';
import { createTokenHolders } from './wire/token-holders.ts';
import { workflowHandlers } from './workflow/workflow.rpc.ts';
import { ensureBuiltInWorkflows } from './workflow/workflow.service.ts';
import { sql } from 'kysely';

export interface Coordinator {
  /** `ws://host:port/rpc`, or wss */
  readonly url: string;
  /** `http://host:port`, or https */
  readonly httpUrl: string;
  readonly tokenFile: string;
  readonly dataDir: string;
  readonly durability: Durability;
  /** Takes nothing new, answers what is in flight, and lets go of everything it holds. */
  stop(): Promise<void>;
}

/**
 * Starts a coordinator. This is the one place that wires its parts together.
 * @throws ConfigError where a setting cannot be met: the data folder is in use, the port is taken, a plugin is missing
 * @throws CoordinatorError `database_unavailable`
 */
export async function startCoordinator(config: Config, { log = createLog(config) }: { readonly log?: Log } = {}): Promise<Coordinator> {
  const undo: (() => unknown)[] = [];
  // In the reverse order of their making: what was made last needs what was made first.
  const stopAll = async () => {
    for (const stop of undo.splice(0).toReversed()) await stop();
  };
  try {
    return await start(config, log, { undo, stopAll });
  } catch (error) {
    await stopAll();
    throw error;
  }
}

interface Life {
  readonly undo: (() => unknown)[];
  readonly stopAll: () => Promise<void>;
}

async function start(config: Config, log: Log, { undo, stopAll }: Life): Promise<Coordinator> {
  const { dataDir } = config;
  const tls = await readTls(config);
  const summarizerConfig = await readSummarizerConfig(config.summarizerConfigFile);
  const counter = await openTokenCounter(config.tokenCounter);
  const folder = await holdDataFolder(dataDir);
  undo.push(() => folder.release());
  const metrics = createMetrics(log);
  undo.push(measureProcess(metrics));
  const plugins = await openPlugins(config, log, metrics);
  undo.push(() => plugins.stop());
  const store = await openStore(config);
  undo.push(() => store.close());

  const changes = createChanges(log);
  undo.push(() => changes.stop());
  const db: Database = { em: store.em, changes, transactionTriesMax: config.transactionTriesMax };
  plugins.onSwitchedOff((off) => {
    recordEverywhere(db, 'plugin.switchedOff', off).catch((error: unknown) =>
      log.error({ err: error, ...off }, 'the event could not be recorded'),
    );
  });
  const projectId = await ensureDefaultProject(store.em.fork());
  await ensureBuiltInWorkflows(db, projectId);
  // For as long as no coordinator was there nobody could beat, and agents that come back before the first sweep find their sessions.
  await forgivePause(store.em.fork(), { pauseMs: pauseMsOf(config.sweepMs), leaseMs: config.leaseMs });

  const parts = createParts(config, { db, plugins, log, metrics, counter, summarizerConfig });
  undo.push(() => parts.packs.narrative.writer.stop());
  undo.push(() => parts.schemas.stop());
  // Every request over HTTP asks; of those that come at once one statement answers all.
  const authenticate = createAuthenticate(createGroupedRead((ids) => findTokens(store.em.fork(), ids)));
  const tokenFile = await ensureTokenFile(dataDir, { em: store.em.fork(), projectId, authenticate });

  const holders = createTokenHolders();
  const loops = [...createLoops(config, parts), createTokenWatcher({ em: store.em, holders, tokenCheckMs: config.tokenCheckMs, log })];
  for (const loop of loops) {
    loop.onRun((run) => metrics.recordLoop(loop.name, run));
    loop.start();
  }
  undo.push(() => Promise.all(loops.map((loop) => loop.stop())));
  if (config.databaseUrl !== undefined) {
    const listening = await startListening({ databaseUrl: config.databaseUrl, changes, log });
    undo.push(() => listening.stop());
  }
  undo.push(() => parts.waiters.stop());
  undo.push(() => parts.queue.stop());

  const dispatch = tellEnded(
    createDispatch({ handlers: createHandlers(config, parts, store), em: store.em, findSession: createFindSession(store.em, parts.live) }),
    parts.live,
    store,
  );
  metrics.watch('claims_parked', () => parts.queue.parked);
  metrics.watch('sessions_live', () => parts.live.count);
  metrics.watchTasks(() => countOpenTasks(store.em.fork()));
  let isStarting = true;
  const health = () => rowsOf(store.em.fork(), sql`select 1`);
  const wire = await startWire({
    config,
    tls,
    log,
    dispatch,
    authenticate,
    knownTokens: [await readToken({ tokenFile })],
    holders,
    health,
    isStarting: () => isStarting,
    metrics,
    openrpc: openRpcDocument,
  });
  undo.push(() => {
    parts.queue.drain();
    return wire.stop(config.drainMs);
  });
  await writeAddress(dataDir, { url: wire.url, httpUrl: wire.httpUrl, tokenFile, pid: process.pid });
  undo.push(() => rm(join(dataDir, 'coordinator.json'), { force: true }));

  isStarting = false;
  log.info({ url: wire.url, store: store.durability.store }, 'listening');
  return { url: wire.url, httpUrl: wire.httpUrl, tokenFile, dataDir, durability: store.durability, stop: stopAll };
}

interface Parts {
  readonly db: Database;
  readonly changes: Changes;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly plugins: PluginHost;
  readonly live: LiveSessions;
  readonly queue: ClaimQueue;
  readonly waiters: RequestWaiters;
  readonly subscriptions: Subscriptions;
  readonly session: SessionParts;
  readonly tickets: TicketParts;
  readonly packs: PackParts;
  readonly schemas: ArtifactSchemas;
}

interface Given extends Pick<Parts, 'db' | 'plugins' | 'log' | 'metrics'> {
  readonly counter?: TokenCounter;
  readonly summarizerConfig?: JsonObject;
}

export function createParts(
  config: Config,
  { db, plugins, log, metrics, counter = createTokenCounter(), summarizerConfig = {} }: Given,
): Parts {
  const live = createLiveSessions();
  return {
    db,
    schemas: createArtifactSchemas(db.em),
    changes: db.changes,
    log,
    metrics,
    plugins,
    live,
    queue: createClaimQueue(db, config),
    waiters: createRequestWaiters(db, config),
    subscriptions: createSubscriptions(config),
    session: { live, sessions: live, limits: config, liveness: createPaceSetter(config, () => live.heardCount), metrics },
    tickets: {
      db,
      sessions: live,
      gates: { db, plugins, log, turns: createJudgementTurns(config), outsideVerdictMs: config.outsideVerdictMs },
      judgingLeaseMs: config.leaseMs,
    },
    packs: createPackParts({ db, plugins, log, metrics, counter }, { ...config, summarizerConfig }),
  };
}

export function createHandlers(
  config: Config,
  { db, queue, waiters, live, plugins, session, subscriptions, tickets, packs, schemas, metrics }: Parts,
  { durability }: Store,
): Handlers {
  return {
    ...coordinatorHandlers(durability),
    ...projectHandlers(db),
    ...tokenHandlers({ db, createToken }),
    ...workflowHandlers(db, { plugins, checker: schemas.checker }),
    ...pluginHandlers(plugins),
    ...phaseHandlers,
    ...ticketHandlers(tickets),
    ...taskHandlers({ db, queue, sessions: live, schemas, packs, limits: config }),
    ...agentHandlers(db, session),
    ...schedulerHandlers({ db, queue, live, pace: session.liveness }),
    ...lockHandlers({ db, waiters, metrics, limits: config }),
    ...artifactHandlers({ db, limits: config, schemas }),
    ...gateHandlers({ ...tickets.gates, limits: config, schemas }),
    ...approvalHandlers(db),
    ...contextHandlers({ ...packs, db, liveness: livenessOf(session) }),
    ...eventHandlers(subscriptions),
  };
}

const createLoops = (
  { sweepMs, pollMs, idempotencyTtlMs }: Config,
  { db, session, live, queue, subscriptions, tickets, log }: Parts,
): Loop[] => [
  createSessionSweeper({ db, session, queue, sweepMs, log }),
  createSessionNotifier({ db, live, pollMs, log }),
  createAttemptSweeper({ db, attempts: session, sweepMs, log }),
  createLockSweeper({ db, live, sweepMs, log }),
  createEventPublisher({ db, subscriptions, pollMs, log }),
  createTicketAdvancer({ tickets, pollMs, log }),
  createHouseKeeper({ db, idempotencyTtlMs, log }),
];

/** An agent whose session has ended elsewhere hears of it, and why, before the call that finds out is refused. */
const tellEnded =
  (dispatch: Dispatch, live: LiveSessions, store: Store): Dispatch =>
  async (call) => {
    const session = call.peer === undefined ? undefined : live.findByPeer(call.peer.id);
    try {
      return await dispatch(call);
    } catch (error) {
      if (session !== undefined && error instanceof CoordinatorError && error.kind === 'session_unknown')
        for (const { id, reason } of await listEndedSessions(store.em.fork(), [session.sessionId])) live.end(id, reason);
      throw error;
    }
  };
