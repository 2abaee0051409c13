import { createHash, randomBytes } from 'node:crypto';
import { CoordinatorError, type Result, type SessionEndReason } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Caller, Session } from '../call.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { forgetHolders } from '../lock/lock.service.ts';
import type { Metrics } from '../metrics.ts';
import { type AttemptEndParts, settleAttempts } from '../task/attempt-end.service.ts';
import { holdFreePlaces } from '../task/places.store.ts';
import { freeReservations } from '../task/reservations.store.ts';
import { lockRunningTasksOfSession } from '../task/task.store.ts';
import type { AgentRow } from './agent.entity.ts';
import type { Liveness } from './agent.store.ts';
import { beginAnew, type Registration, upsertAgent } from './agent.service.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { Pace, PaceSetter } from './pace.ts';
import {
  findLivingSession,
  findSessionByToken,
  insertSession,
  listEndedSessions,
  listHeldAttempts,
  lockSession,
  markSessionEnded,
  renewLease,
  type SessionRow,
} from './session.store.ts';

export interface SessionParts extends AttemptEndParts {
  readonly live: LiveSessions;
  readonly liveness: PaceSetter;
  readonly metrics: Pick<Metrics, 'recordAgentLag'>;
}

/** How agents are seen from here. The interval of their beats is read when somebody looks: it grows with the number of sessions. */
export const livenessOf = ({ live, liveness }: Pick<SessionParts, 'live' | 'liveness'>): Liveness => ({
  get heartbeatMs() {
    return liveness.heartbeatMs;
  },
  silenceMs: live.silenceMs,
});

export interface Registered {
  readonly session: Session;
  readonly answer: Result<'agent/register'>;
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/**
 * Begins a session of the agent with this name, or goes on with the one the resume token names. A session that the agent
 * had before is fenced: what it held is free, and nothing it sends is accepted.
 */
export async function registerAgent(
  tx: Tx,
  parts: SessionParts,
  { caller, ...registration }: Registration & { readonly caller: Caller; readonly resumeToken?: string | undefined },
): Promise<Registered> {
  const agent = await upsertAgent(tx, registration);
  const { heartbeatMs, leaseMs } = parts.liveness.tell();
  const resumed = await resume(tx, { leaseMs }, { agent, caller, resumeToken: registration.resumeToken });
  const started = resumed ?? (await startSession(tx, parts, { agent, caller, leaseMs }));
  const attempts = await listHeldAttempts(tx.em, started.sessionId);
  const { agentId, sessionId, epoch, resumeToken } = started;
  return {
    session: { sessionId, agentId, epoch, agentName: agent.name },
    answer: {
      agentId,
      sessionId,
      epoch,
      resumeToken,
      heartbeatMs,
      leaseMs,
      graceMs: leaseMs - heartbeatMs,
      resumed: resumed !== undefined,
      attempts,
    },
  };
}

interface Started {
  readonly agentId: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly resumeToken: string;
}

interface Return {
  readonly agent: AgentRow;
  readonly caller: Caller;
  readonly resumeToken: string | undefined;
}

async function resume(
  { em }: Tx,
  { leaseMs }: Pick<Pace, 'leaseMs'>,
  { agent, caller, resumeToken }: Return,
): Promise<Started | undefined> {
  if (resumeToken === undefined) return undefined;
  const session = await findSessionByToken(em, caller, hashToken(resumeToken));
  if (session?.agentId !== agent.id) return undefined;
  // It may have ended since it was found.
  if ((await lockSession(em, session.id)) === undefined) return undefined;
  await renewLease(em, session.id, leaseMs);
  return { agentId: agent.id, sessionId: session.id, epoch: session.epoch, resumeToken };
}

async function startSession(
  tx: Tx,
  parts: SessionParts,
  { agent, caller, leaseMs }: { readonly agent: AgentRow; readonly caller: Caller; readonly leaseMs: number },
): Promise<Started> {
  const older = await findLivingSession(tx.em, agent.id);
  if (older !== undefined) await supersedeSession(tx, parts, older.id);
  agent.epoch += 1;
  beginAnew(tx, agent);
  await tx.em.flush();
  const resumeToken = randomBytes(32).toString('base64url');
  const session = {
    id: uuidv7(),
    projectId: tx.projectId,
    agentId: agent.id,
    epoch: agent.epoch,
    tokenId: caller.tokenId,
    resumeHash: hashToken(resumeToken),
    leaseMs,
  };
  await insertSession(tx.em, session);
  tx.record('agent.registered', {
    agentId: agent.id,
    agentName: agent.name,
    sessionId: session.id,
    epoch: agent.epoch,
    capabilities: agent.capabilities,
    capacity: agent.capacity,
  });
  return { agentId: agent.id, sessionId: session.id, epoch: agent.epoch, resumeToken };
}

/** Ends a session as lost: its attempts and locks are free in the same transaction. */
async function supersedeSession(tx: Tx, parts: SessionParts, sessionId: string): Promise<void> {
  const session = await lockEndingSession(tx, sessionId);
  if (session !== undefined) await loseSession(tx, parts, session, 'superseded');
}

const lossReasons = {
  superseded: 'a newer session of the agent took its place',
  expired: 'its lease ended in silence',
  terminated: 'its agent was terminated',
} as const satisfies Partial<Record<SessionEndReason, string>>;

/** A session whose row this transaction holds, and before it the places of those tasks that it runs whose places were free. */
interface EndingSession extends SessionRow {
  readonly placed: ReadonlySet<string>;
}

/**
 * Locks a session that is to end: first the tickets and visits of its attempts, as every transaction does, so that what they leave
 * can be noted. Those that somebody holds are not waited for: one held ticket would keep all sessions from ending.
 */
export async function lockEndingSession(tx: Tx, sessionId: string, lock = lockSession): Promise<EndingSession | undefined> {
  const taskIds = (await listHeldAttempts(tx.em, sessionId)).map(({ taskId }) => taskId);
  const placed = await holdFreePlaces(tx, taskIds);
  const session = await lock(tx.em, sessionId);
  return session && { ...session, placed };
}

/** Ends a session that its agent did not end: what it held is free in the same transaction. */
export async function loseSession(tx: Tx, parts: SessionParts, session: EndingSession, reason: keyof typeof lossReasons): Promise<void> {
  await closeSession(tx, parts, session, reason);
  tx.record('agent.lost', { ...toAgentEvent(session), reason: lossReasons[reason] });
}

/** Gives the agent of a session nothing new from here on. Returns how many attempts it still runs: claims under way count. */
export async function drainAgent(tx: Tx, { agentId, agentName, sessionId }: Session): Promise<{ running: number }> {
  const { em } = tx;
  const drained = await rowsOf(em, sql`update agents set state = 'draining' where id = ${agentId} and state = 'active' returning 1`);
  if ((await lockSession(em, sessionId)) === undefined) throw new CoordinatorError('session_unknown');
  if (drained.length > 0) {
    const reason = 'It takes no more work.';
    tx.record('agent.stateChanged', { agentId, agentName, from: 'active', to: 'draining', reason, by: agentName });
  }
  await freeReservations(tx, { agentId });
  return { running: (await listHeldAttempts(em, sessionId)).length };
}

/**
 * Ends a session as its agent asks; one that its agent has ended already stays as it is.
 * @throws CoordinatorError `session_unknown` where it has ended otherwise
 */
export async function deregisterSession(tx: Tx, parts: SessionParts, sessionId: string, reason: string | undefined): Promise<void> {
  const session = await lockEndingSession(tx, sessionId);
  if (session === undefined) {
    const [ended] = await listEndedSessions(tx.em, [sessionId]);
    if (ended?.reason === 'deregistered') return;
    throw new CoordinatorError('session_unknown');
  }
  await closeSession(tx, parts, session, 'deregistered');
  tx.record('agent.deregistered', { ...toAgentEvent(session), ...(reason !== undefined && { reason }) });
}

const toAgentEvent = ({ id, agentId, agentName, epoch }: SessionRow) => ({ agentId, agentName, sessionId: id, epoch });

/** Ends a session: attempts handed back, locks handed on, requests withdrawn. */
async function closeSession(tx: Tx, parts: SessionParts, session: EndingSession, reason: SessionEndReason): Promise<void> {
  const { id, agentId, agentName, placed } = session;
  await markSessionEnded(tx.em, id, reason);
  await freeReservations(tx, { agentId, sessionId: id });
  const running = await lockRunningTasksOfSession(tx.em, id);
  const error = { code: 'agent_lost', message: `The session of ${agentName} ended: ${reason}.` };
  await settleAttempts(
    tx,
    parts,
    running.map((task) => ({ task, outcome: 'lost', error, permanent: false, isUnnoted: !placed.has(task.id) })),
  );
  // With the attempts' locks among them: all keys in one pass.
  await forgetHolders(tx, { sessionIds: [id] });
  tx.afterCommit(() => parts.live.end(id, reason));
}
