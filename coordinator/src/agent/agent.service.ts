import { CoordinatorError, type JsonObject } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { AgentEntity, type AgentRow } from './agent.entity.ts';
import { keepVersionedOffers } from './capability-needs.store.ts';
import { checkOffers, namesOf } from './capability-rules.ts';
import { findLivingSession, lockSession, type SessionRow } from './session.store.ts';

/** What an agent says of itself. */
export interface Registration {
  readonly name: string;
  readonly type: string;
  readonly phase?: string | undefined;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
}

type Changeable = Omit<Registration, 'name' | 'phase'>;

/** What of it may be said anew, each by itself; a phase of null is none. */
export type AgentChanges = { readonly [Field in keyof Changeable]?: Changeable[Field] | undefined } & {
  readonly phase?: string | null | undefined;
};

/**
 * Writes down what an agent says of itself as it registers, and locks its row. What was decided about it stays as it is.
 * @throws CoordinatorError `agent_terminated` where that is the end of it
 */
export async function upsertAgent(tx: Tx, { name, ...registration }: Registration): Promise<AgentRow> {
  const { em, projectId } = tx;
  const { type, phase = null, capabilities, capacity, tags, metadata } = registration;
  checkOffers(capabilities, 'capabilities');
  await keepVersionedOffers(em, projectId, capabilities);
  const made = await rowsOf(
    em,
    sql`insert into agents (id, project_id, name, type, phase, capabilities, capability_names, capacity, tags, metadata, state, epoch)
        values (${uuidv7()}, ${projectId}, ${name}, ${type}, ${phase}, ${capabilities}::text[], ${namesOf(capabilities)}::text[], ${capacity},
          ${toTags(tags)}::text[], ${JSON.stringify(metadata)}::jsonb, 'active', 0)
        on conflict (project_id, name) do nothing returning id`,
  );
  // Before its sessions, as everyone who locks both. Not against claims, whose attempts refer to the agent.
  await rowsOf(em, sql`select 1 from agents where project_id = ${projectId} and name = ${name} for no key update`);
  const agent = await em.findOneOrFail(AgentEntity, { projectId, name });
  refuseTerminated(agent);
  if (made.length === 0) changeAgent(tx, agent, { ...registration, phase });
  return agent;
}

/**
 * Changes what the agent of a session says of itself; what is left out stays as it is. Once this has committed, no claim under
 * way goes by what was said before.
 * @throws CoordinatorError `invalid_params` where a capability is none
 */
export async function updateAgent(tx: Tx, agentId: string, changes: AgentChanges): Promise<void> {
  if (changes.capabilities !== undefined) {
    checkOffers(changes.capabilities, 'capabilities');
    await keepVersionedOffers(tx.em, tx.projectId, changes.capabilities);
  }
  changeAgent(tx, await lockAgent(tx, agentId), changes);
  await settleAgent(tx, agentId);
}

/**
 * Writes the row of an agent, and then takes its session, which every claim holds while it decides: one that saw the agent as
 * it was before has committed, and one that comes later sees it as it is. Returns the session, if one lives.
 */
export async function settleAgent({ em }: Tx, agentId: string): Promise<SessionRow | undefined> {
  await em.flush();
  const living = await findLivingSession(em, agentId);
  return living && lockSession(em, living.id);
}

/**
 * The row of an agent, locked so that decisions about it take turns. Taken before the lock of its session.
 * @throws CoordinatorError `agent_not_found`
 */
export async function lockAgent({ em, projectId }: Tx, agentId: string): Promise<AgentRow> {
  await rowsOf(em, sql`select 1 from agents where project_id = ${projectId} and id = ${agentId} for no key update`);
  const agent = await em.findOne(AgentEntity, { projectId, id: agentId });
  if (agent === null) throw new CoordinatorError('agent_not_found', { agentId });
  return agent;
}

export function refuseTerminated({ id, name, state, stateReason }: AgentRow): void {
  if (state !== 'terminated') return;
  const message = `${name} was terminated (${stateReason ?? 'nobody said why'}): register under another name.`;
  throw new CoordinatorError('agent_terminated', { agentId: id, agentName: name, reason: stateReason, message });
}

/** A new incarnation wants to work: what the one before said of itself is over, what was decided about it is not. */
export function beginAnew(tx: Tx, agent: AgentRow): void {
  const { id: agentId, name: agentName } = agent;
  const reason = 'It began a new session.';
  if (agent.state === 'draining') {
    agent.state = 'active';
    tx.record('agent.stateChanged', { agentId, agentName, from: 'draining', to: 'active', reason, by: agentName });
  }
  if (agent.available) return;
  agent.available = true;
  if (agent.state === 'active') agent.stateReason = null;
  tx.record('agent.availabilityChanged', { agentId, agentName, available: true, reason });
}

function changeAgent(tx: Tx, agent: AgentRow, { type, phase, capabilities, capacity, tags, metadata }: AgentChanges): void {
  if (type !== undefined) agent.type = type;
  if (phase !== undefined) agent.phase = phase;
  if (tags !== undefined) agent.tags = toTags(tags);
  if (metadata !== undefined) agent.metadata = metadata;
  // More slots, or something more that it can do: a claim of its that waits may find work.
  if (capacity !== undefined && capacity !== agent.capacity) {
    agent.capacity = capacity;
    tx.hints.tasks = true;
  }
  if (capabilities !== undefined) changeCapabilities(tx, agent, capabilities);
}

function changeCapabilities(tx: Tx, agent: AgentRow, capabilities: readonly string[]): void {
  const before = agent.capabilities;
  const added = capabilities.filter((capability) => !before.includes(capability));
  const removed = before.filter((capability) => !capabilities.includes(capability));
  if (added.length === 0 && removed.length === 0) return;
  agent.capabilities = [...capabilities];
  agent.capabilityNames = namesOf(capabilities);
  tx.hints.tasks = true;
  tx.record('agent.capability.updated', { agentId: agent.id, agentName: agent.name, capabilities: [...capabilities], added, removed });
}

const toTags = (tags: readonly string[]): string[] => [...new Set(tags)].sort();
