import { type ContextPack, CoordinatorError, type Rehydration } from '@baton/protocol';
import { getAgent, listAgents, type Liveness } from '../agent/agent.store.ts';
import type { CallContext, Session } from '../call.ts';
import { findNewestResultOfVisit } from '../gate/gate.store.ts';
import { listHeldLocks } from '../lock/lock-holder.store.ts';
import { tellClaims } from '../task/claim.service.ts';
import { listRunningClaims } from '../task/match.store.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { makePack, type PackParts } from './pack.service.ts';

/** How many agents of the team are told. */
const teamMax = 200;
/** Of how many tickets there is a pack. */
const ticketsMax = 10;

/** All that an agent knew of its work, from what is stored. Asks no summarizer: somebody waits who does not know who he is. */
export async function rehydrate(
  parts: PackParts & { readonly liveness: Liveness },
  { em, caller, session }: Pick<CallContext, 'em' | 'caller'> & { readonly session: Session },
  { budgetTokens }: { readonly budgetTokens: number },
): Promise<Rehydration> {
  const { projectId } = caller;
  const running = await listRunningClaims(em, session.sessionId);
  const tickets: Rehydration['tickets'] = [];
  const ticketIds = [...new Set(running.map((task) => task.ticketId))];
  const otherTickets = ticketIds.slice(ticketsMax);
  for (const ticketId of ticketIds.slice(0, ticketsMax)) {
    const { phase, visitId } = await getTicket(em, projectId, ticketId);
    const result = await findNewestResultOfVisit(em, visitId);
    const packed = await packOrTell(makePack(parts, em, { ticketId, forPhase: phase, budgetTokens }, { maySummarize: false }));
    tickets.push({ ticketId, phase, ...(result !== undefined && { gate: result }), ...packed });
  }
  return {
    agent: await getAgent(em, parts.liveness, { projectId, id: session.agentId }),
    team: await listAgents(em, parts.liveness, { projectId, all: false, limit: teamMax }),
    tasks: await tellClaims(parts, em, projectId, running),
    locks: await listHeldLocks(em, session.sessionId),
    tickets,
    ...(otherTickets.length > 0 && { otherTickets }),
  };
}

/** Where what is pinned does not fit, the rest is needed all the same. */
async function packOrTell(packing: Promise<ContextPack>): Promise<Pick<Rehydration['tickets'][number], 'pack' | 'failed'>> {
  try {
    return { pack: await packing };
  } catch (error) {
    if (!(error instanceof CoordinatorError) || typeof error.data['neededTokens'] !== 'number') throw error;
    return { failed: { kind: error.kind, message: error.message, neededTokens: error.data['neededTokens'] } };
  }
}
