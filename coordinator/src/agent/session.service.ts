import { createHash, randomBytes } from 'node:crypto';
import { CoordinatorError, type JsonObject, type Result, type RevocationReason, type SessionEndReason } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Session } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { forgetHolders } from '../lock/lock.service.ts';
import { type AttemptEndParts, endAttempts, settleAttempts } from '../task/attempt-end.service.ts';
import { holdSession } from '../task/fence.store.ts';
import { lockRunningTasksOfSession, lockTasks } from '../task/task.store.ts';
import { AgentEntity, type AgentRow } from './agent.entity.ts';
import type { LiveSessions } from './live-sessions.ts';
import {
  findLivingSession,
  findSessionByToken,
  insertSession,
  listAttemptStates,
  listEndedSessions,
  listHeldAttempts,
  lockSession,
  markSessionEnded,
  renewLease,
  type SessionRow,
} from './session.store.ts';

export interface SessionLimits {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

export interface SessionParts extends AttemptEndParts {
  readonly live: LiveSessions;
  readonly liveness: SessionLimits;
}

export interface Registration {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly resumeToken?: string | undefined;
}

export interface Registered {
  readonly session: Session;
  readonly answer: Result<'agent/register'>;
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/**
 * Begins a session of the agent with this name, or goes on with the one the resume token names. A session that the agent
 * had before is fenced: what it held is free, and nothing it sends is accepted.
 */
export async function registerAgent(tx: Tx, parts: SessionParts, registration: Registration): Promise<Registered> {
  const agent = await upsertAgent(tx, registration);
  const resumed = await resume(tx, parts.liveness, { agent, resumeToken: registration.resumeToken });
  const started = resumed ?? (await startSession(tx, parts, agent));
  const { heartbeatMs, leaseMs } = parts.liveness;
  const attempts = (await listHeldAttempts(tx.em, started.sessionId)).map(({ taskId, attempt }) => ({ taskId, attempt }));
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

async function upsertAgent({ em, projectId }: Tx, { name, capabilities, capacity, tags, metadata }: Registration): Promise<AgentRow> {
  await rowsOf(
    em,
    sql`insert into agents (id, project_id, name, capabilities, capacity, tags, metadata, state, epoch)
        values (${uuidv7()}, ${projectId}, ${name}, ${capabilities}::text[], ${capacity}, ${tags}::text[], ${JSON.stringify(metadata)}::jsonb, 'active', 0)
        on conflict (project_id, name) do nothing`,
  );
  // Before its sessions, as everyone who locks both. Not against claims, whose attempts refer to the agent.
  await rowsOf(em, sql`select 1 from agents where project_id = ${projectId} and name = ${name} for no key update`);
  const agent = await em.findOneOrFail(AgentEntity, { projectId, name });
  agent.capabilities = [...capabilities];
  agent.capacity = capacity;
  agent.tags = [...new Set(tags)].sort();
  agent.metadata = metadata;
  return agent;
}

interface Started {
  readonly agentId: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly resumeToken: string;
}

interface Return {
  readonly agent: AgentRow;
  readonly resumeToken: string | undefined;
}

async function resume({ em, projectId }: Tx, { leaseMs }: SessionLimits, { agent, resumeToken }: Return): Promise<Started | undefined> {
  if (resumeToken === undefined) return undefined;
  const session = await findSessionByToken(em, projectId, hashToken(resumeToken));
  if (session?.agentId !== agent.id) return undefined;
  // It may have ended since it was found.
  if ((await lockSession(em, session.id)) === undefined) return undefined;
  await renewLease(em, session.id, leaseMs);
  return { agentId: agent.id, sessionId: session.id, epoch: session.epoch, resumeToken };
}

async function startSession(tx: Tx, parts: SessionParts, agent: AgentRow): Promise<Started> {
  const older = await findLivingSession(tx.em, agent.id);
  if (older !== undefined) await supersedeSession(tx, parts, older.id);
  agent.epoch += 1;
  // A new incarnation wants to work, one that reconnects goes on draining; what was terminated by decision stays so.
  if (agent.state === 'draining') agent.state = 'active';
  await tx.em.flush();
  const resumeToken = randomBytes(32).toString('base64url');
  const session = {
    id: uuidv7(),
    projectId: tx.projectId,
    agentId: agent.id,
    epoch: agent.epoch,
    resumeHash: hashToken(resumeToken),
    leaseMs: parts.liveness.leaseMs,
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
  const session = await lockSession(tx.em, sessionId);
  if (session !== undefined) await loseSession(tx, parts, session, 'superseded');
}

const lossReasons = {
  superseded: 'a newer session of the agent took its place',
  expired: 'its lease ended in silence',
} as const satisfies Partial<Record<SessionEndReason, string>>;

/** Ends a session that its agent did not end: what it held is free in the same transaction. The row is locked by this one. */
export async function loseSession(tx: Tx, parts: SessionParts, session: SessionRow, reason: keyof typeof lossReasons): Promise<void> {
  await closeSession(tx, parts, session, reason);
  tx.record('agent.lost', { ...toAgentEvent(session), reason: lossReasons[reason] });
}

/** Gives the agent of a session nothing new from here on. Returns how many attempts it still runs: claims under way count. */
export async function drainAgent({ em }: Tx, { agentId, sessionId }: Session): Promise<{ running: number }> {
  await rowsOf(em, sql`update agents set state = 'draining' where id = ${agentId} and state = 'active'`);
  if ((await lockSession(em, sessionId)) === undefined) throw new CoordinatorError('session_unknown');
  return { running: (await listHeldAttempts(em, sessionId)).length };
}

/** Ends a session as its agent asks. */
export async function deregisterSession(tx: Tx, parts: SessionParts, sessionId: string, reason: string | undefined): Promise<void> {
  const session = await lockSession(tx.em, sessionId);
  if (session === undefined) throw new CoordinatorError('session_unknown');
  await closeSession(tx, parts, session, 'deregistered');
  tx.record('agent.deregistered', { ...toAgentEvent(session), ...(reason !== undefined && { reason }) });
}

const toAgentEvent = ({ id, agentId, agentName, epoch }: SessionRow) => ({ agentId, agentName, sessionId: id, epoch });

/** Ends a session whose row this transaction holds: attempts handed back, locks handed on, requests withdrawn. */
async function closeSession(tx: Tx, parts: SessionParts, { id, agentName }: SessionRow, reason: SessionEndReason): Promise<void> {
  await markSessionEnded(tx.em, id, reason);
  const running = await lockRunningTasksOfSession(tx.em, id);
  const error = { code: 'agent_lost', message: `The session of ${agentName} ended: ${reason}.` };
  await settleAttempts(
    tx,
    parts,
    running.map((task) => ({ task, outcome: 'lost', error, permanent: false })),
  );
  // With the attempts' locks among them: all keys in one pass.
  await forgetHolders(tx, { sessionIds: [id] });
  tx.afterCommit(() => parts.live.end(id, reason));
}

/** @throws CoordinatorError `session_unknown` where it has ended, by whichever coordinator */
export async function checkSession(em: EntityManager, sessionId: string): Promise<void> {
  if ((await listEndedSessions(em, [sessionId])).length > 0) throw new CoordinatorError('session_unknown');
}

const revocationOf: Record<string, RevocationReason> = { cancelled: 'cancelled', timed_out: 'timed_out' };

/**
 * Compares what an agent has in hand with what it holds. What it no longer holds it is told to stop; what it was given and
 * has not known for two beats was lost on the way, and is handed out again.
 */
export async function reconcileAttempts(
  tx: Tx,
  parts: SessionParts,
  { sessionId }: Session,
  reported: readonly { readonly taskId: string; readonly attempt: number }[],
): Promise<{ taskId: string; attempt: number; reason: RevocationReason }[]> {
  await holdSession(tx.em, sessionId);
  const known = new Set(reported.map(({ taskId, attempt }) => `${taskId}/${attempt}`));
  const lost = (await listHeldAttempts(tx.em, sessionId)).filter(
    ({ taskId, attempt, heldMs }) => !known.has(`${taskId}/${attempt}`) && heldMs > 2 * parts.liveness.heartbeatMs,
  );
  if (lost.length > 0) {
    const tasks = (
      await lockTasks(
        tx,
        lost.map(({ taskId }) => taskId),
      )
    ).filter((task) => task.state === 'running' && task.sessionId === sessionId);
    const error = { code: 'claim_lost', message: 'The agent does not know of this attempt.' };
    await endAttempts(
      tx,
      parts,
      tasks.map((task) => ({ task, outcome: 'released', error, permanent: false })),
    );
  }
  const states = reported.length === 0 ? [] : await listAttemptStates(tx, sessionId, reported);
  return states
    .filter(({ held }) => !held)
    .map(({ taskId, attempt, outcome }) => ({ taskId, attempt, reason: revocationOf[outcome ?? ''] ?? 'lease_lost' }));
}
