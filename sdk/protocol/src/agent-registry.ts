import { z } from 'zod';
import { agent, agentHealth, agentHealths, agentStatus, agentStatuses } from './agent.ts';
import { method, readParams, writeParams } from './define.ts';
import { foundMender, mender, menderAfterUpdate, menderHealth, menderInMaintenance, statisticsOfOne } from './story/agent.ts';
import { ids } from './story/cast.ts';
import { capabilities, capability, capabilityNeeds, cursor, id, jsonObject, limit, nextCursor, phaseName, tags } from './values.ts';

/** What is left out of a search unless it is asked for: those that are given nothing new. */
export const outOfWorkStatuses = agentStatuses.filter((status) => status !== 'idle' && status !== 'working' && status !== 'busy');

const sought = {
  capabilities: capabilityNeeds.default([]).describe('What it should be able to do. Who can do none of it is not found.'),
  tags: tags.default([]).describe('It has all of these.'),
  type: capability.optional().describe('It is of this type.'),
  phase: phaseName.optional().describe('It mostly works in this phase.'),
  text: z.string().trim().min(1).max(128).optional().describe('Part of its name, in upper or lower case.'),
};

const searchParams = readParams({
  ...sought,
  include: z
    .array(z.enum(outOfWorkStatuses))
    .max(outOfWorkStatuses.length)
    .default([])
    .describe('Also those of these statuses, which are given nothing new.'),
  limit: limit.default(20),
});
export type SearchQuery = z.output<typeof searchParams>;

export const foundAgent = z
  .object({
    agent,
    score: z.number().describe('The sum of its parts.'),
    parts: z.object({
      coverage: z.number().describe('The share of the capabilities that it offers: 0 to 1.'),
      freeShare: z.number().describe('0.2 times the share of its slots that are free.'),
      healthy: z.number().describe('0.2 for one that is healthy.'),
      capacity: z.number().describe('0.05 for each slot, up to five.'),
    }),
    missing: z.array(z.string()).describe('Of the capabilities, those that it does not offer.'),
  })
  .meta({ id: 'FoundAgent', description: 'An agent with how well it fits, and what that is made of.' });
export type FoundAgent = z.infer<typeof foundAgent>;

const passedOver = z.object({
  agentId: id,
  agentName: z.string(),
  status: agentStatus,
  reasons: z.array(z.string()).describe('All that stands in the way, as sentences.'),
});

export const healthReport = z
  .object({
    agentId: id,
    agentName: z.string(),
    status: agentStatus,
    health: agentHealth,
    silenceMs: z.int().optional().describe('How long ago its last call was; absent where it has no session.'),
    allowedMs: z.number().describe('How long it may be silent before it is stale.'),
    expiresInMs: z.number().optional().describe('How long its lease still runs; absent where it has none.'),
    eventLoopLagMs: z.int().optional().describe('How late the timers of its process are, as it said last.'),
    explanation: z.string().describe('The same as a sentence.'),
  })
  .meta({ id: 'AgentHealthReport', description: 'How an agent is, computed from its silence when it is asked for.' });
export type AgentHealthReport = z.infer<typeof healthReport>;

const count = z.int();

export const agentRegistryMethods = {
  'agent/update': method({
    summary: 'Changes what the agent of this session says of itself. What is left out stays as it is.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({
      capabilities: capabilities.optional().describe('All that it offers from here on. The event is recorded only if that is another set.'),
      capacity: z.int().min(1).max(1_000).optional().describe('How many tasks it takes at once. What it runs beyond that it finishes.'),
      tags: tags.optional(),
      metadata: jsonObject.optional().describe('In the place of what it said before.'),
      type: capability.optional(),
      phase: phaseName.nullable().optional().describe('Where it mostly works from here on; null for nowhere in particular.'),
    }),
    result: agent,
    errors: ['session_unknown'],
    example: { params: { capacity: 3, type: 'developer', phase: 'FIX' }, result: menderAfterUpdate },
  }),
  'agent/setAvailability': method({
    summary:
      'Says whether an agent takes new tasks, at once: after the answer it is given none, or a claim of its that waits is looked at again. For the agent of this session, or by an operator for any.',
    access: 'work',
    session: false,
    idempotent: true,
    params: writeParams({
      available: z.boolean(),
      reason: z.string().trim().min(1).max(1_000).optional(),
      agentId: id.optional().describe('Another agent than that of this session; an operator may name any.'),
    }),
    result: agent,
    errors: ['agent_not_found', 'agent_terminated'],
    example: { params: { available: true, agentId: ids.agent }, result: menderAfterUpdate },
  }),
  'agent/setState': method({
    summary:
      'Decides about an agent. In maintenance or quarantine it finishes what it runs and is given nothing new, whatever it does itself. Terminated is for good: its session ends, and what it ran is given to others.',
    access: 'operate',
    session: false,
    idempotent: true,
    params: writeParams({
      agentId: id,
      state: z.enum(['active', 'maintenance', 'quarantined', 'terminated']),
      reason: z.string().trim().min(1).max(1_000).describe('Why, for whoever looks at it later.'),
    }),
    result: agent,
    errors: ['agent_not_found', 'agent_terminated'],
    example: {
      params: { agentId: ids.agent, state: 'maintenance', reason: 'Its compiler is brought up to date.' },
      result: menderInMaintenance,
    },
  }),
  'agent/search': method({
    summary:
      'Finds agents that can do at least some of what is needed, the best first: by coverage + 0.2 · free share + 0.2 · healthy + 0.05 · min(capacity, 5), then by free slots, then by id.',
    access: 'read',
    session: false,
    idempotent: true,
    params: searchParams,
    result: z.object({ agents: z.array(foundAgent) }),
    errors: [],
    example: { params: { capabilities: ['typescript', 'rust'] }, result: { agents: [foundMender] } },
  }),
  'agent/bestFit': method({
    summary: 'The first in the order of `agent/search` that offers all that is needed and has a free slot; or why there is none.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams(sought),
    result: z.object({
      best: foundAgent.optional().describe('Absent where there is none.'),
      unoffered: z.array(z.string()).describe('Where there is none: what is needed and no agent of the project has ever offered.'),
      passedOver: z.array(passedOver).describe('Where there is none: those that come closest, and what stands in their way.'),
    }),
    errors: [],
    example: {
      params: { capabilities: ['typescript', 'rust'] },
      result: {
        unoffered: ['rust'],
        passedOver: [{ agentId: ids.agent, agentName: mender.name, status: 'idle', reasons: ['It does not offer rust.'] }],
      },
    },
  }),
  'agent/statistics': method({
    summary: 'Counts the agents of the project: by status, type, phase and health.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({}),
    result: z.object({
      total: count,
      capacity: count.describe('The slots of those that may be given tasks.'),
      free: count.describe('Those of them that are free.'),
      byStatus: z.record(agentStatus, count),
      byType: z.record(z.string(), count),
      byPhase: z.record(z.string(), count).describe('Those that said where they mostly work.'),
      byHealth: z.record(z.enum(agentHealths), count),
    }),
    errors: [],
    example: { params: {}, result: statisticsOfOne },
  }),
  'agent/health': method({
    summary: 'Tells how agents are, and for how long they have been silent. Computed from what is known; writes nothing.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      agentId: id.optional().describe('One agent, whatever its state. Without it those that are neither lost nor terminated, by name.'),
      after: cursor.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ agents: z.array(healthReport), next: nextCursor }),
    errors: ['agent_not_found'],
    example: { params: { agentId: ids.agent }, result: { agents: [menderHealth] } },
  }),
};
