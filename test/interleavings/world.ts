import { type Client as BatonClient, createClient, type NewTaskInput, type Result } from '@baton/protocol';
import { Client } from 'pg';
import type { Caller, Peer, Session } from '../../coordinator/src/call.ts';
import { configSchema } from '../../coordinator/src/config.ts';
import { createHandlers, createParts } from '../../coordinator/src/coordinator.ts';
import { createChanges } from '../../coordinator/src/db/changes.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import type { Database } from '../../coordinator/src/db/transaction.ts';
import { createLog } from '../../coordinator/src/log.ts';
import { createMetrics } from '../../coordinator/src/metrics.ts';
import { createPluginHost } from '@baton/sdk/plugin/host';
import { ensureDefaultProject } from '../../coordinator/src/project/project.service.ts';
import { insertToken } from '../../coordinator/src/token/token.store.ts';
import { createDispatch } from '../../coordinator/src/wire/dispatch.ts';
import { ensureBuiltInWorkflows } from '../../coordinator/src/workflow/workflow.service.ts';
import { createTestDatabase } from '../support/database.ts';
import { installClock } from './clock.ts';
import { readSchema } from './effect.ts';
import { type Gate, gateStore } from './gate.ts';
import type { Stage } from './schedule.ts';

/** A coordinator without sockets: from dispatch down the product's own code, over a store whose statements can be held up. */
export interface GatedCoordinator {
  readonly db: Database;
  readonly parts: ReturnType<typeof createParts>;
  readonly config: ReturnType<typeof configSchema.parse>;
  readonly log: ReturnType<typeof createLog>;
  readonly gate: Gate;
  /** Calls of the admin, or of an agent that was registered here. */
  readonly client: BatonClient;
  as(session: Session): BatonClient;
  stop(): Promise<void>;
}

/** Nothing happens by itself: loops do not run, and what they poll for, or may take too long, is an hour away. */
const quiet = {
  pollMs: 3_600_000,
  sweepMs: 3_600_000,
  lockTimeoutMs: 3_600_000,
  statementTimeoutMs: 3_600_000,
  idleTransactionTimeoutMs: 3_600_000,
  leaseMs: 60_000,
  logLevel: 'silent',
  plugins: [],
} as const;

async function openCoordinator(databaseUrl: string): Promise<GatedCoordinator> {
  const config = configSchema.parse({ ...quiet, databaseUrl });
  const log = createLog(config);
  const store = await openStore(config);
  const changes = createChanges(log);
  const db: Database = { em: store.em, changes, transactionTriesMax: config.transactionTriesMax };
  const plugins = await createPluginHost({
    plugins: [],
    log,
    limits: { threadsMax: 1, memoryMb: 64, timeoutMs: 1_000, verdictBytesMax: 1_024 },
  });
  const parts = createParts(config, { db, plugins, log, metrics: createMetrics(log) });
  const projectId = await ensureDefaultProject(store.em.fork());
  await ensureBuiltInWorkflows(db, projectId);

  const sessions = new Map<string, Session>();
  const dispatch = createDispatch({
    handlers: createHandlers(config, parts, store),
    em: store.em,
    findSession: ({ peer }) => (peer === undefined ? undefined : sessions.get(peer.id)),
  });
  const tokenId = crypto.randomUUID();
  await insertToken(store.em.fork(), { id: tokenId, projectId, name: tokenId, role: 'admin', secretHash: tokenId, expiresInMs: undefined });
  const caller: Caller = { tokenId, name: 'test', projectId, projectName: 'default', role: 'admin' };
  const clientOf = (peer: Peer | undefined) =>
    createClient((method, params, { signal = new AbortController().signal } = {}) => dispatch({ method, params, caller, peer, signal }));
  return {
    db,
    parts,
    config,
    log,
    client: clientOf(undefined),
    as(session) {
      const peer: Peer = { id: crypto.randomUUID(), notify: () => undefined, onClose: () => undefined };
      sessions.set(peer.id, session);
      return clientOf(peer);
    },
    gate: await gateStore(store),
    async stop() {
      await parts.queue.stop();
      parts.waiters.stop();
      changes.stop();
      await plugins.stop();
      await store.close();
    },
  };
}

/** What NOTIFY does between coordinators, without the delay. */
function shareHints(coordinators: readonly GatedCoordinator[]): void {
  for (const from of coordinators)
    from.db.changes.onChange((change) => {
      if (change.isForeign === true) return;
      for (const to of coordinators) if (to !== from) to.db.changes.tell({ ...change, isForeign: true });
    });
}

export interface Worker {
  readonly session: Session;
  /** What it can do, and nobody else. */
  readonly type: string;
  /** The calls of this agent at a coordinator. */
  at(coordinator: GatedCoordinator): BatonClient;
  /** Comes back with its resume token. */
  register(coordinator: GatedCoordinator): Promise<Result<'agent/register'>>;
}

/** One PostgreSQL with two coordinators that take part and one that prepares and looks on. */
export interface World {
  readonly a: GatedCoordinator;
  readonly b: GatedCoordinator;
  readonly c: GatedCoordinator;
  readonly stage: Stage;
  /** Lets so much time pass, for all that asks the database's clock. */
  passTime(ms: number): Promise<void>;
  rows<Row>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
  createWorker(type?: string): Promise<Worker>;
  /** As if it had just beaten. */
  keepAlive(worker: Worker): Promise<void>;
  createTicket(): Promise<string>;
  /** Adds tasks to a new ticket, and answers their ids. */
  submit(...tasks: readonly NewTaskInput[]): Promise<readonly string[]>;
  /** Ends what earlier schedules have left: their agents are gone, and hold nothing. */
  endAll(): Promise<void>;
  stop(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const database = await createTestDatabase();
  const observer = new Client(database.url);
  await observer.connect();
  const passTime = await installClock(observer);
  const url = new URL(database.url);
  const [a, b, c] = [await openCoordinator(url.href), await openCoordinator(url.href), await openCoordinator(url.href)];
  shareHints([a, b, c]);
  const stage = { observer, schema: await readSchema(observer) };
  let count = 0;

  const createTicket = async () => (await c.client.ticket.create({ title: 'A ticket' })).id;
  return {
    a,
    b,
    c,
    stage,
    passTime,
    async rows<Row>(statement: string, values: readonly unknown[] = []) {
      return (await observer.query(statement, [...values])).rows as Row[];
    },
    async createWorker(type = `type-${(count += 1)}`) {
      const name = `worker-${(count += 1)}`;
      const registration = { name, capabilities: [type], capacity: 10 };
      const { agentId, sessionId, epoch, resumeToken } = await c.client.agent.register(registration);
      const session: Session = { agentId, sessionId, epoch, agentName: name };
      return {
        session,
        type,
        at: (coordinator) => coordinator.as(session),
        register: ({ client }) => client.agent.register({ ...registration, resumeToken }),
      };
    },
    async keepAlive({ session }) {
      await observer.query(`update sessions set lease_until = test_clock.clock_timestamp() + interval '60 seconds' where id = $1`, [
        session.sessionId,
      ]);
    },
    createTicket,
    async submit(...tasks) {
      const submitted = await c.client.task.submit({ ticketId: await createTicket(), tasks: [...tasks] });
      return submitted.tasks.map(({ id }) => id);
    },
    async endAll() {
      await observer.query(`update sessions set ended_at = clock_timestamp(), end_reason = 'expired' where ended_at is null;
        delete from lock_requests; delete from lock_grants; update tasks set waiting_key = null where waiting_key is not null`);
    },
    async stop() {
      for (const coordinator of [a, b, c]) await coordinator.stop();
      await observer.end();
      await database.drop();
    },
  };
}
