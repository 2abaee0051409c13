import type { PhaseContext } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import { listVisits } from '../phase/phase-visit.store.ts';
import { countTokens } from './count-tokens.ts';
import { TicketEntity } from '../ticket/ticket.entity.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { writePack } from './pack-rules.ts';
import { gatherPhaseContext, selectEarlierVisits } from './phase-context.ts';

/** The room that `{{ context }}` in a task's input takes, in tokens. */
const inputBudgetTokens = 4_000;

/** What the phases before one have come to, in the order of the workflow. */
export async function gatherEarlierPhases(
  em: EntityManager,
  { ticketId, forPhase }: { ticketId: string; forPhase: string },
): Promise<PhaseContext[]> {
  const ticket = await em.findOneOrFail(TicketEntity, { id: ticketId });
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const phases: PhaseContext[] = [];
  for (const visits of selectEarlierVisits(definition, await listVisits(em, ticketId), forPhase)) {
    const context = await gatherPhaseContext(em, visits);
    if (context !== undefined) phases.push(context);
  }
  return phases;
}

/** The pack for a phase as text. Asks no summarizer, since tasks wait for it. */
export async function findContextText(em: EntityManager, place: { ticketId: string; forPhase: string }): Promise<string> {
  return writePack(await gatherEarlierPhases(em, place), inputBudgetTokens, countTokens).text;
}
