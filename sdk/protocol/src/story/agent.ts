import type { Agent } from '../agent.ts';
import { at, ids } from './cast.ts';

/** It has nothing to do yet. */
export const mender: Agent = {
  id: ids.agent,
  name: 'mender',
  capabilities: ['typescript'],
  capacity: 3,
  tags: [],
  metadata: {},
  state: 'active',
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
