import { CoordinatorError } from '@baton/protocol';
import type { CallContext, HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { listVisits } from '../phase/phase-visit.store.ts';
import { countTokens } from './count-tokens.ts';
import { holdTicketForEvidence } from '../ticket/evidence.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { findPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { gatherEarlierPhases } from './context-text.ts';
import { noteItem } from './context.service.ts';
import { listItems } from './context.store.ts';
import { addNarrative, type NarrativeParts } from './narrative.ts';
import { writePack } from './pack-rules.ts';
import { gatherPhaseContext } from './phase-context.ts';

export const contextHandlers = (db: Database, narrative: NarrativeParts): HandlersOf<'context'> => ({
  'context/note': (params, call) =>
    write(db, call, params, async (tx) => noteItem(tx, await holdTicketForEvidence(tx, call, params), params.item)),

  'context/list': async (query, call) => {
    await getTicket(call.em, call.caller.projectId, query.ticketId);
    return listItems(call.em, query);
  },

  'context/aggregate': async ({ ticketId, phase }, call) => {
    await getKnownPhase(call, ticketId, phase);
    const visits = (await listVisits(call.em, ticketId)).filter((visit) => visit.phase === phase);
    const context = await gatherPhaseContext(call.em, visits);
    const nothing = { phase, visit: 0, tasksCompleted: 0, summaries: [], items: [], artifacts: [], stored: false };
    return context === undefined ? nothing : addNarrative(narrative, call.em, context);
  },

  'context/get': async ({ ticketId, forPhase, budgetTokens }, call) => {
    const phase = await getKnownPhase(call, ticketId, forPhase);
    const gathered = await gatherEarlierPhases(call.em, { ticketId, forPhase: phase });
    const pack = writePack(gathered, budgetTokens, countTokens);
    const phases = await Promise.all(gathered.map((each) => addNarrative(narrative, call.em, each)));
    return { ticketId, forPhase: phase, phases, budgetTokens, counter: 'tokenx', ...pack };
  },
});

/** The phase that is named, or the one the ticket is in. */
async function getKnownPhase({ em, caller }: CallContext, ticketId: string, name: string | undefined): Promise<string> {
  const ticket = await getTicket(em, caller.projectId, ticketId);
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const phase = name ?? ticket.phase;
  if (findPhase(definition, phase) === undefined)
    throw new CoordinatorError('phase_unknown', { phase, phases: definition.phases.map((each) => each.name) });
  return phase;
}
