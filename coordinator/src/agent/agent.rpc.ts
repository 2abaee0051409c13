import type { HandlersOf } from '../call.ts';
import { type Database, transact, write } from '../db/transaction.ts';
import { getAgent, listAgents } from './agent.store.ts';
import { createTakeBeat } from './beat.service.ts';
import { registryHandlers } from './registry.rpc.ts';
import { deregisterSession, drainAgent, livenessOf, registerAgent, type SessionParts } from './session.service.ts';

export const agentHandlers = (db: Database, parts: SessionParts): HandlersOf<'agent'> => {
  const takeBeat = createTakeBeat(db, parts);
  const liveness = livenessOf(parts);
  return {
    ...registryHandlers(db, parts, liveness),

    'agent/register': async ({ idempotencyKey: _, ...registration }, { caller, peer }) => {
      // Without a key: a registration sent again fences the session whose answer was lost, which nobody could use.
      const { session, answer } = await transact(db, caller.projectId, (tx) => registerAgent(tx, parts, { ...registration, caller }));
      if (peer === undefined) parts.live.touch(session.sessionId);
      else parts.live.attach(session, peer);
      return answer;
    },

    'agent/heartbeat': async ({ attempts, eventLoopLagMs }, { session: { sessionId }, caller }) => {
      parts.live.touch(sessionId, eventLoopLagMs);
      if (eventLoopLagMs !== undefined) parts.metrics.recordAgentLag(eventLoopLagMs);
      const revoked = await takeBeat({ projectId: caller.projectId, sessionId, attempts });
      return { ...parts.liveness.tell(), revoked: [...revoked] };
    },

    'agent/drain': (params, call) => write(db, call, params, (tx) => drainAgent(tx, call.session)),

    'agent/deregister': async ({ reason }, { session, caller }) => {
      await transact(db, caller.projectId, (tx) => deregisterSession(tx, parts, session.sessionId, reason));
      return {};
    },

    'agent/get': ({ agentId }, { em, caller }) => getAgent(em, liveness, { projectId: caller.projectId, id: agentId }),

    'agent/list': async ({ limit, ...query }, { em, caller }) => {
      const agents = await listAgents(em, liveness, { ...query, projectId: caller.projectId, limit: limit + 1 });
      const page = agents.slice(0, limit);
      const last = page.at(-1);
      return { agents: page, ...(agents.length > limit && last !== undefined && { next: last.name }) };
    },
  };
};
