import type { Agent, ObstacleCode } from '@baton/protocol';
import { covers } from '../agent/capability-rules.ts';

/** What decides whether an agent may be given anything at all. */
export interface AgentFacts {
  readonly state: Agent['state'];
  /** What it says of itself: it wants work. */
  readonly available: boolean;
  /** It has a session, and the session lives. */
  readonly living: boolean;
  readonly capacity: number;
  readonly running: number;
}

/** What keeps an agent from any task. The one rule, for those that match and for those that explain. */
export function listAgentObstacles({ state, available, living, capacity, running }: AgentFacts): ObstacleCode[] {
  return [
    ...(state === 'active' ? [] : ([`agent_${state}`] as const)),
    ...(available ? [] : (['agent_unavailable'] as const)),
    ...(living ? [] : (['agent_lost'] as const)),
    ...(running < capacity ? [] : (['no_free_slot'] as const)),
  ];
}

/** Who might do a task. */
export interface Doer {
  readonly agentId: string;
  /** What it offers: names, or names with a version. */
  readonly capabilities: readonly string[];
}

/** What decides for whom a task is. */
export interface Offer {
  /** What it needs: names, or names with a range of versions. */
  readonly capabilities: readonly string[];
  /** Agents that did, or have in hand, what the doer of this task must not have done. */
  readonly authorIds: readonly string[];
  /** The agent that it is kept for, as long as it is. */
  readonly reservedFor: string | null;
}

const isForAnother = ({ reservedFor }: Offer, agentId: string): boolean => reservedFor !== null && reservedFor !== agentId;

/** What keeps a task from an agent. The one rule, for those that match and for those that explain. */
export function listFitObstacles({ agentId, capabilities }: Doer, offer: Offer): ObstacleCode[] {
  return [
    ...(covers(capabilities, offer.capabilities) ? [] : (['capability_missing'] as const)),
    ...(offer.authorIds.includes(agentId) ? (['excluded_author'] as const) : []),
    ...(isForAnother(offer, agentId) ? (['reserved_for_other'] as const) : []),
  ];
}

/** An agent that waits for work, with the slots it still has. */
export interface Seeker extends Doer {
  readonly sessionId: string;
  readonly agentName: string;
  readonly capacity: number;
  free: number;
  /** How much of the free slots its calls ask for. */
  wanted: number;
}

export const isOpen = ({ free, wanted }: Seeker): boolean => free > 0 && wanted > 0;

/**
 * The agent that fits a task best among those that wait: of those whom nothing keeps from it, the one with the fewest
 * capabilities to spare, then the one with the largest share of its slots free, then by id. Specialists come first, so that
 * who can do everything stays free for what nobody else can.
 */
export function bestSeeker(seekers: readonly Seeker[], offer: Offer): Seeker | undefined {
  let best: Seeker | undefined;
  for (const seeker of seekers) {
    if (!isOpen(seeker) || (best !== undefined && !isBetter(seeker, best)) || listFitObstacles(seeker, offer).length > 0) continue;
    best = seeker;
  }
  return best;
}

function isBetter(a: Seeker, b: Seeker): boolean {
  if (a.capabilities.length !== b.capabilities.length) return a.capabilities.length < b.capabilities.length;
  const shareA = a.free / a.capacity;
  const shareB = b.free / b.capacity;
  return shareA === shareB ? a.agentId < b.agentId : shareA > shareB;
}

export interface CapabilitySet {
  readonly id: number;
  readonly capabilities: readonly string[];
}

/** A set with those who offer all that it needs. */
export interface ServedSet extends CapabilitySet {
  readonly agentIds: readonly string[];
}

/** Of the sets, those that somebody can serve alone, with all who can. */
export function serveSets(sets: readonly CapabilitySet[], doers: readonly Doer[]): ServedSet[] {
  // Many agents offer the same.
  const kinds = [...Map.groupBy(doers, ({ capabilities }) => capabilities.join(' ')).values()];
  return sets.flatMap(({ id, capabilities }) => {
    const able = kinds.filter(([one]) => one !== undefined && covers(one.capabilities, capabilities)).flat();
    return able.length === 0 ? [] : [{ id, capabilities, agentIds: able.map(({ agentId }) => agentId) }];
  });
}
