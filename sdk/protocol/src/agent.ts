import { z } from 'zod';
import { event, method, notification, readParams, writeParams } from './define.ts';
import { mender, menderSession } from './story/agent.ts';
import { ids } from './story/cast.ts';
import { revocationReasons } from './task.ts';
import { capabilities, capability, cursor, id, jsonObject, limit, name, nextCursor, phaseName, tags, timestamp } from './values.ts';

export const agentStates = ['active', 'draining', 'maintenance', 'quarantined', 'terminated'] as const;
export const agentState = z.enum(agentStates).meta({
  id: 'AgentState',
  description:
    'What was decided about it, and stays so until somebody decides otherwise: only an active one is given tasks, the others end what they run. A draining one leaves, and is active again when it begins a new session. Maintenance and quarantine outlast its sessions. Terminated is for good.',
});
export type AdministrativeState = z.infer<typeof agentState>;

export const agentStatuses = [
  'idle',
  'working',
  'busy',
  'unavailable',
  'draining',
  'lost',
  'maintenance',
  'quarantined',
  'terminated',
] as const;
export const agentStatus = z.enum(agentStatuses).meta({
  id: 'AgentStatus',
  description:
    'How it is, computed from its state, its session and its attempts, never stored. The last of these that fits: idle runs nothing, working runs something and has a free slot, busy has none; unavailable takes nothing by its own word, draining leaves, lost has no session whose lease runs; maintenance, quarantined and terminated were decided.',
});
export type AgentStatus = z.infer<typeof agentStatus>;

export const agentHealths = ['healthy', 'stale', 'lost'] as const;
export const agentHealth = z.enum(agentHealths).meta({
  id: 'AgentHealth',
  description: 'Computed from the silence, never stored: two beats missed is stale, a lease that has ended is lost.',
});
export type AgentHealth = z.infer<typeof agentHealth>;

export const agent = z
  .object({
    id,
    name: z.string(),
    type: z.string().describe('What kind of agent it is, in its own words.'),
    phase: phaseName.optional().describe('Where it mostly works. It is given the tasks of any phase.'),
    capabilities: z.array(z.string()),
    capacity: z.int().describe('How many tasks it takes at once.'),
    tags: z.array(z.string()),
    metadata: jsonObject.describe('Whatever it said of itself.'),
    state: agentState,
    stateReason: z.string().optional().describe('Why it is in this state, or takes no new tasks, as whoever decided it said.'),
    available: z.boolean().describe('Whether it takes new tasks, by its own word or that of an operator. True when a session begins.'),
    status: agentStatus,
    health: agentHealth,
    epoch: z.int().describe('The number of its newest session.'),
    running: z.int().describe('How many attempts it has in hand.'),
    silenceMs: z.int().optional().describe('How long ago its last call was; absent where it has no session.'),
    eventLoopLagMs: z.int().optional().describe('How late the timers of its process are, as it said last.'),
    registeredAt: timestamp,
  })
  .meta({ id: 'Agent', description: 'An identity with capabilities, and how its newest session is.' });
export type Agent = z.infer<typeof agent>;

/** What an agent needs to keep its session: how often to beat, and how long its claims outlive its silence. */
const session = z.object({
  agentId: id,
  sessionId: id,
  epoch: z.int().describe('Grows with each session of the agent; a newer one fences the older.'),
  resumeToken: z
    .string()
    .describe('Goes on with this session on another connection, or over HTTP in the header `Baton-Session`. A secret.'),
  heartbeatMs: z.int().describe('How often to beat. Every call counts as a beat.'),
  leaseMs: z.int().describe('How long its claims outlive its silence.'),
  graceMs: z.int().describe('How long a task that was told to stop may take to do so before its thread should be taken away.'),
  resumed: z.boolean().describe('Whether this is the session that the resume token named.'),
  attempts: z.array(z.object({ taskId: id, attempt: z.int32() })).describe('The attempts that this session still holds.'),
});

export const agentMethods = {
  'agent/register': method({
    summary: 'Makes this connection the session of an agent. The name is the identity; with a resume token the earlier session goes on.',
    access: 'work',
    session: false,
    idempotent: false,
    params: writeParams({
      name: name.describe('The identity: a new session of the same name takes the place of the older.'),
      capabilities: capabilities.describe('What it can do. It is given the tasks that need no more than this.'),
      capacity: z.int().min(1).max(1_000).default(1).describe('How many tasks it takes at once.'),
      tags: tags.default([]).describe('Labels for people and for search; no task asks for them.'),
      metadata: jsonObject.default({}).describe('Whatever it wants to say of itself.'),
      resumeToken: z.string().max(256).optional().describe('Of an earlier session that shall go on.'),
      type: capability.default('worker').describe('What kind of agent it is: a word of your own, for search and statistics.'),
      phase: phaseName.optional().describe('Where it mostly works, for search and statistics. It is given the tasks of any phase.'),
    }),
    result: session,
    errors: ['draining', 'agent_terminated'],
    example: { params: { name: 'mender', capabilities: ['typescript'], capacity: 3 }, result: menderSession },
  }),
  'agent/heartbeat': method({
    summary: 'Keeps the session alive. The answer names the reported attempts that are no longer held.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({
      attempts: z
        .array(z.object({ taskId: id, attempt: z.int32() }))
        .max(1_000)
        .optional()
        .describe(
          'All that the agent has in hand. What it was given and does not name is handed out again; left out, nothing is compared.',
        ),
      eventLoopLagMs: z.number().min(0).optional().describe('How late its timers are.'),
    }),
    result: z.object({
      heartbeatMs: z.int(),
      leaseMs: z.int(),
      revoked: z
        .array(z.object({ taskId: id, attempt: z.int32(), reason: z.enum(revocationReasons) }))
        .describe('What the agent named and no longer holds.'),
    }),
    errors: ['session_unknown'],
    example: {
      params: {
        attempts: [
          { taskId: ids.reproduce, attempt: 1 },
          { taskId: ids.measure, attempt: 1 },
          { taskId: ids.changelog, attempt: 1 },
        ],
      },
      result: { heartbeatMs: 5_000, leaseMs: 15_000, revoked: [] },
    },
  }),
  'agent/drain': method({
    summary: 'Takes nothing new from here on; running attempts are finished.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({}),
    result: z.object({ running: z.int().describe('How many attempts are still to be finished.') }),
    errors: ['session_unknown'],
    example: { params: {}, result: { running: 0 } },
  }),
  'agent/deregister': method({
    summary: 'Ends the session. What it still runs is given to others at once.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({ reason: z.string().max(1_000).optional() }),
    result: z.object({}),
    errors: ['session_unknown'],
    example: { params: { reason: 'The work is done.' }, result: {} },
  }),
  'agent/get': method({
    summary: 'Returns one agent.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ agentId: id }),
    result: agent,
    errors: ['agent_not_found'],
    example: { params: { agentId: ids.agent }, result: mender },
  }),
  'agent/list': method({
    summary: 'Lists agents by name; those that are lost or terminated only when asked for.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      all: z.boolean().default(false).describe('Those that are lost or terminated as well.'),
      after: cursor.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ agents: z.array(agent), next: nextCursor }),
    errors: [],
    example: { params: {}, result: { agents: [mender] } },
  }),
};

const agentNamed = { agentId: id, agentName: z.string() };
const agentEvent = { ...agentNamed, sessionId: id, epoch: z.int() };

export const agentEvents = {
  'agent.registered': event({
    summary: 'An agent began a session.',
    data: z.object({ ...agentEvent, capabilities: z.array(z.string()), capacity: z.int() }),
  }),
  'agent.deregistered': event({ summary: 'An agent ended its session.', data: z.object({ ...agentEvent, reason: z.string().optional() }) }),
  'agent.lost': event({
    summary: 'A session ended in silence, or was taken away; its attempts and locks are free.',
    data: z.object({ ...agentEvent, reason: z.string() }),
  }),
  'agent.capability.updated': event({
    summary: 'What an agent offers is another set of capabilities than before.',
    data: z.object({
      ...agentNamed,
      capabilities: z.array(z.string()).describe('All that it offers from here on.'),
      added: z.array(z.string()),
      removed: z.array(z.string()),
    }),
  }),
  'agent.availabilityChanged': event({
    summary: 'An agent takes new tasks again, or takes none for now.',
    data: z.object({ ...agentNamed, available: z.boolean(), reason: z.string().optional() }),
  }),
  'agent.stateChanged': event({
    summary:
      'Somebody decided about an agent: maintenance, quarantine, active again, or terminated for good. Or it drains, by its own word, until it begins a new session.',
    data: z.object({ ...agentNamed, from: agentState, to: agentState, reason: z.string(), by: z.string() }),
  }),
};

/** Why a session is over: a newer one of its agent, silence longer than its lease, its own word, or the end of its agent. */
export const sessionEndReasons = ['superseded', 'expired', 'deregistered', 'terminated'] as const;
export type SessionEndReason = (typeof sessionEndReasons)[number];

export const agentNotifications = {
  'agent/sessionEnded': notification({
    summary: 'This connection is no longer the session of its agent.',
    params: z.object({ sessionId: id, reason: z.enum(sessionEndReasons) }),
  }),
};
