import { type Agent, CoordinatorError, mayAccess, rolesWith } from '@baton/protocol';
import type { Caller, Session } from '../call.ts';
import type { Tx } from '../db/transaction.ts';
import { freeReservations } from '../task/reservations.store.ts';
import type { AgentRow } from './agent.entity.ts';
import { lockAgent, refuseTerminated, settleAgent } from './agent.service.ts';
import { lockEndingSession, loseSession, type SessionParts } from './session.service.ts';
import { findLivingSession } from './session.store.ts';

/**
 * The agent that a caller speaks of: its own, or any that an operator names.
 * @throws CoordinatorError `session_required` where there is neither, `access_denied` where somebody else's is named
 */
export function chooseAgent(agentId: string | undefined, { caller, session }: { caller: Caller; session: Session | undefined }): string {
  if (agentId === undefined && session === undefined) throw new CoordinatorError('session_required');
  const chosen = agentId ?? session?.agentId ?? '';
  if (chosen !== session?.agentId && !mayAccess(caller.role, 'operate'))
    throw new CoordinatorError('access_denied', {
      role: caller.role,
      needs: 'operate',
      message: `It has the role ${caller.role}; to speak of another agent takes ${rolesWith('operate')}.`,
    });
  return chosen;
}

export interface Availability {
  readonly agentId: string;
  readonly available: boolean;
  readonly reason?: string | undefined;
}

/** Once this has committed, no claim under way gives work to an agent that takes none. */
export async function setAvailability(tx: Tx, { agentId, available, reason }: Availability): Promise<void> {
  const agent = await lockAgent(tx, agentId);
  refuseTerminated(agent);
  if (agent.available === available) return;
  agent.available = available;
  // Why it was put aside is not for who switches it off to change.
  if (agent.state === 'active') agent.stateReason = available ? null : (reason ?? null);
  await settle(tx, agent);
  tx.record('agent.availabilityChanged', { agentId, agentName: agent.name, available, ...(reason !== undefined && { reason }) });
}

export interface StateDecision {
  readonly agentId: string;
  readonly state: Extract<Agent['state'], 'active' | 'maintenance' | 'quarantined' | 'terminated'>;
  readonly reason: string;
  /** Who decides. */
  readonly by: string;
}

/**
 * Decides about an agent. One that is terminated loses its session in the same transaction, and what it held is free.
 * @throws CoordinatorError `agent_terminated` where something else was to become of one that is
 */
export async function setState(tx: Tx, parts: SessionParts, { agentId, state, reason, by }: StateDecision): Promise<void> {
  const agent = await lockAgent(tx, agentId);
  const from = agent.state;
  if (from === state) return;
  refuseTerminated(agent);
  agent.state = state;
  agent.stateReason = state === 'active' ? null : reason;
  const living = state === 'terminated' ? await findLivingSession(tx.em, agentId) : undefined;
  const ending = living && (await lockEndingSession(tx, living.id));
  await settle(tx, agent);
  tx.record('agent.stateChanged', { agentId, agentName: agent.name, from, to: state, reason, by });
  if (ending !== undefined) await loseSession(tx, parts, ending, 'terminated');
}

async function settle(tx: Tx, agent: AgentRow): Promise<void> {
  const session = await settleAgent(tx, agent.id);
  if (agent.state === 'active' && agent.available) tx.hints.tasks = true;
  else await freeReservations(tx, { agentId: agent.id, ...(session !== undefined && { sessionId: session.id }) });
}
