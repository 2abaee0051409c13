import type { AgentHealthReport, FoundAgent } from '../agent-registry.ts';
import type { Agent } from '../agent.ts';
import { at, ids } from './cast.ts';

/** It has nothing to do yet. */
export const mender: Agent = {
  id: ids.agent,
  name: 'mender',
  type: 'worker',
  capabilities: ['typescript'],
  capacity: 3,
  tags: [],
  metadata: {},
  state: 'active',
  available: true,
  status: 'idle',
  health: 'healthy',
  epoch: 1,
  running: 0,
  silenceMs: 12,
  registeredAt: at('09:02:00'),
};

/** What the coordinator told it when it registered. */
export const menderSession = {
  agentId: ids.agent,
  sessionId: ids.session,
  epoch: 1,
  resumeToken: 'qD5v0cB1wq3o7yTTkVtB0uJm8mW2bYx1aZrN4sPf6Hg',
  heartbeatMs: 5_000,
  leaseMs: 15_000,
  graceMs: 10_000,
  resumed: false,
  attempts: [],
};

/** It has said where it works. */
export const menderAfterUpdate: Agent = { ...mender, type: 'developer', phase: 'FIX' };

/** Its work is done, and it is looked after. */
export const menderInMaintenance: Agent = {
  ...menderAfterUpdate,
  state: 'maintenance',
  stateReason: 'Its compiler is brought up to date.',
  status: 'maintenance',
};

/** One of the two things that were asked for, all three slots free, healthy. */
export const foundMender: FoundAgent = {
  agent: menderAfterUpdate,
  score: 1.05,
  parts: { coverage: 0.5, freeShare: 0.2, healthy: 0.2, capacity: 0.15 },
  missing: ['rust'],
};

export const menderHealth: AgentHealthReport = {
  agentId: ids.agent,
  agentName: 'mender',
  status: 'idle',
  health: 'healthy',
  silenceMs: 12,
  allowedMs: 10_000,
  expiresInMs: 14_988,
  explanation: 'Heard of 0 s ago; 10 s of silence are allowed.',
};

const none = { working: 0, busy: 0, unavailable: 0, draining: 0, lost: 0, maintenance: 0, quarantined: 0, terminated: 0 };

/** The mender is the only agent there is. */
export const statisticsOfOne = {
  total: 1,
  capacity: 3,
  free: 3,
  byStatus: { idle: 1, ...none },
  byType: { developer: 1 },
  byPhase: { FIX: 1 },
  byHealth: { healthy: 1, stale: 0, lost: 0 },
};
