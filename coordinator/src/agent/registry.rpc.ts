import { CoordinatorError, type MethodName, outOfWorkStatuses, type Result } from '@baton/protocol';
import type { CallContext, Handlers } from '../call.ts';
import { type Database, type Tx, write } from '../db/transaction.ts';
import { type AgentSearch, searchAgents } from './agent-search.store.ts';
import { chooseAgent, setAvailability, setState } from './agent-state.service.ts';
import { countAgents } from './agent-statistics.store.ts';
import { updateAgent } from './agent.service.ts';
import { getAgent, listAgentRows, type Liveness } from './agent.store.ts';
import { reasonsAgainst } from './best-fit.ts';
import { listUnoffered } from './capability-needs.store.ts';
import { checkNeeds } from './capability-rules.ts';
import { toHealthReport } from './health-rules.ts';
import type { SessionParts } from './session.service.ts';

type RegistryMethod = Extract<
  MethodName,
  `agent/${'update' | 'setAvailability' | 'setState' | 'search' | 'bestFit' | 'statistics' | 'health'}`
>;

/** Of those that come closest, how many are told of where none will do. */
const passedOverMax = 20;

export const registryHandlers = (db: Database, parts: SessionParts, liveness: Liveness): Pick<Handlers, RegistryMethod> => {
  /** Changes an agent, and answers how it is then. */
  const change = (
    call: CallContext,
    params: { readonly idempotencyKey?: string | undefined },
    agentId: string,
    work: (tx: Tx) => Promise<void>,
  ) =>
    write(db, call, params, async (tx) => {
      await work(tx);
      return getAgent(tx.em, liveness, { projectId: tx.projectId, id: agentId });
    });

  return {
    'agent/update': (params, call) => {
      const { idempotencyKey: _, ...changes } = params;
      return change(call, params, call.session.agentId, (tx) => updateAgent(tx, call.session.agentId, changes));
    },

    'agent/setAvailability': async (params, call) => {
      const agentId = chooseAgent(params.agentId, call);
      return change(call, params, agentId, (tx) => setAvailability(tx, { ...params, agentId }));
    },

    'agent/setState': (params, call) =>
      change(call, params, params.agentId, (tx) => setState(tx, parts, { ...params, by: call.caller.name })),

    'agent/search': async (search, { em, caller }) => {
      checkNeeds(search.capabilities, 'capabilities');
      return { agents: await searchAgents(em, liveness, caller.projectId, search) };
    },

    'agent/bestFit': async (sought, { em, caller: { projectId } }): Promise<Result<'agent/bestFit'>> => {
      checkNeeds(sought.capabilities, 'capabilities');
      const find = (search: Omit<AgentSearch, keyof typeof sought>) => searchAgents(em, liveness, projectId, { ...sought, ...search });
      const [best] = await find({ canBegin: true, include: [], limit: 1 });
      if (best !== undefined) return { best, unoffered: [], passedOver: [] };
      const closest = await find({ include: outOfWorkStatuses, limit: passedOverMax });
      return {
        unoffered: await listUnoffered(em, projectId, sought.capabilities),
        passedOver: closest.map((found) => ({
          agentId: found.agent.id,
          agentName: found.agent.name,
          status: found.agent.status,
          reasons: reasonsAgainst(found),
        })),
      };
    },

    'agent/statistics': (_, { em, caller }) => countAgents(em, liveness, caller.projectId),

    'agent/health': async ({ agentId, after, limit }, { em, caller: { projectId } }) => {
      const query = { projectId, id: agentId, all: agentId !== undefined, after };
      const rows = await listAgentRows(em, liveness, { ...query, limit: limit + 1 });
      if (agentId !== undefined && rows.length === 0) throw new CoordinatorError('agent_not_found', { agentId });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        agents: page.map((row) => toHealthReport(row, liveness.heartbeatMs)),
        ...(rows.length > limit && last !== undefined && { next: last.name }),
      };
    },
  };
};
