import { CoordinatorError, type GateResult } from '@baton/protocol';
import { z } from 'zod';
import { findBoundResult, judgeInPlace, judgeUnasked } from '../gate/gate.service.ts';
import type { RecordedResult } from '../gate/gate.store.ts';
import type { Place } from '../gate/judgement-place.ts';
import { hasCrashed } from '../gate/refusal-rules.ts';
import { findPhase, nextPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { actInVisit, afterRefusal, blockTicket, lookAgainMs, move, type Outcome, type Stay, staysMs } from './after-gate.ts';
import { judgeAlone } from './judging-claim.ts';
import { ResultGone } from './pass-gate.ts';
import type { TicketRow } from './ticket.entity.ts';
import type { TicketParts } from './ticket.service.ts';
import { findLook, getTicket, type Look, postponeTicket } from './ticket.store.ts';

export interface AdvanceOptions {
  readonly signal: AbortSignal;
  /** Its place among the judgements; without one no validator is asked, which may take minutes. */
  readonly place?: Place;
}

/** `unjudged`: validators have to be asked, and there is no place for that. */
export type Step = Outcome | 'unjudged';

/** How long a ticket is left alone then that the workflow is told nothing more of, so that it holds up no other. */
const pauses = { done: undefined, changed: undefined, stays: staysMs, unjudged: lookAgainMs } as const satisfies Record<
  Step,
  number | undefined
>;

/**
 * Moves a ticket on where its workflow says so: when nothing in an automatic phase is open, its gate is judged; passed, the
 * ticket goes forward; refused, the phase does what it has for that, or the ticket is blocked with the reasons. Where a check has
 * crashed nothing was refused: the ticket stays, says so, and is judged again. Whatever else keeps it from going on blocks it as a
 * refusal does. Any number of coordinators may try at once: one judges, and every step is taken in the visit it was decided in.
 */
export async function advanceTicket(
  parts: TicketParts,
  { projectId, ticketId }: { readonly projectId: string; readonly ticketId: string },
  options: AdvanceOptions,
): Promise<Step> {
  const em = parts.db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  if (ticket.state !== 'open' || !ticket.automatic) return 'done';
  const look = await findLook(em, ticket.visitId);
  if (look === undefined) return 'done';
  // Where the step fails it may be better then.
  let pauseMs: number | undefined = lookAgainMs;
  try {
    const step = await advance(parts, { ticket, look }, options);
    pauseMs = pauses[step];
    return step;
  } finally {
    if (pauseMs !== undefined && !options.signal.aborted) await postponeTicket(parts.db.em.fork(), look, pauseMs);
  }
}

async function advance(
  parts: TicketParts,
  { ticket, look }: { readonly ticket: TicketRow; readonly look: Look },
  options: AdvanceOptions,
): Promise<Step> {
  const { definition } = await getWorkflow(parts.db.em.fork(), ticket.workflowId);
  const phase = findPhase(definition, ticket.phase);
  const to = nextPhase(definition, ticket.phase);
  if (phase === undefined || to === undefined) return 'stays';
  const stay: Stay = { ticket, look, phase, definition };

  try {
    if (phase.gate !== undefined) {
      const result = await findOrJudge(parts, ticket, options);
      if (typeof result === 'string') return result;
      if (result.outcome !== 'passed') return await afterRefusal(parts, stay, result);
    }
    return await actInVisit(parts, ticket, async (tx, locked) => {
      await move(tx, parts, locked, { to, reason: 'the phase is complete' });
      return 'done';
    });
  } catch (error) {
    if (error instanceof ResultGone) return 'changed';
    // What fails because this coordinator stops is no fault of the ticket's.
    if (options.signal.aborted || !(error instanceof CoordinatorError)) throw error;
    // Somebody else moved it, or added something to judge; the next look finds out.
    if (['version_conflict', 'gate_blocked', 'transition_refused', 'phase_closed'].includes(error.kind)) return 'changed';
    if (error.retryable) throw error;
    return blockTicket(parts, stay, `It cannot go on from ${phase.name}: ${describeError(error)}`);
  }
}

/** With the fields that it names, which its message leaves out. */
function describeError({ message, data }: CoordinatorError): string {
  const fields = z.array(z.object({ message: z.string() })).safeParse(data['fields']).data ?? [];
  const others = fields.filter((field) => !message.includes(field.message));
  return [message, ...others.map((field) => field.message)].join(' ');
}

/** What the gate says: as it was recorded, or judged now, unless validators have to be asked and another coordinator is at it. */
async function findOrJudge(
  parts: TicketParts,
  ticket: TicketRow,
  { signal, place }: AdvanceOptions,
): Promise<RecordedResult | GateResult | 'unjudged' | 'done'> {
  const { gates } = parts;
  const { projectId, id: ticketId } = ticket;
  const found = await findUsable(parts, ticket);
  if (found !== undefined) return found;
  if (place === undefined) return judgeUnasked(gates, projectId, ticketId, { isByWorkflow: true });
  const judged = await judgeAlone(parts, {
    visitId: ticket.visitId,
    signal,
    // Another may have judged it before the claim was free.
    work: async (signal) =>
      (await findUsable(parts, ticket)) ??
      judgeInPlace(gates, { projectId, ticketId, place }, { signal, takesOver: true, isByWorkflow: true }),
  });
  return judged ?? 'done';
}

/**
 * Only a pass grows old: what was refused would be judged again and again while a ticket waits. Where a check has crashed it has
 * said nothing.
 */
async function findUsable({ db, gates }: TicketParts, ticket: TicketRow): Promise<RecordedResult | undefined> {
  const bound = await findBoundResult(gates, db.em.fork(), ticket);
  return bound === undefined || hasCrashed(bound) || (bound.outcome === 'passed' && bound.hasAged) ? undefined : bound;
}
