import type { Agent, JsonObject } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

/** An identity: who it is and what it can do. Whether it lives is a matter of its sessions. */
export const AgentEntity = defineEntity({
  name: 'Agent',
  tableName: 'agents',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    name: p.string(),
    type: p.string(),
    phase: p.string().nullable(),
    capabilities: p.array(),
    capabilityNames: p.array(),
    capacity: p.integer(),
    tags: p.array(),
    metadata: p.json<JsonObject>(),
    state: p.string().$type<Agent['state']>(),
    stateReason: p.text().nullable(),
    available: p.boolean(),
    epoch: p.integer(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type AgentRow = InferEntity<typeof AgentEntity>;
