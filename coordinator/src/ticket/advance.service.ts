import { CoordinatorError, type GateResult, type PhaseDefinition, type WorkflowDefinition } from '@baton/protocol';
import { sql } from 'kysely';
import type { Caller } from '../call.ts';
import { rowsOf } from '../db/rows.ts';
import { transact } from '../db/transaction.ts';
import { findStandingResult, validateGate } from '../gate/gate.service.ts';
import { toSentence } from '../gate/gate-rules.ts';
import { countRefusals } from '../gate/gate.store.ts';
import { findPhase, nextPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { makeTasks } from './enter-phase.ts';
import type { TicketRow } from './ticket.entity.ts';
import { moveTicket, type TicketParts, transitionTicket } from './ticket.service.ts';
import { getTicket, hasOpenTasks, lockTicket, postponeTicket } from './ticket.store.ts';

/** How long a ticket that has nowhere to go is left alone, unless something is added to it. */
const lookAgainMs = 10_000;

/**
 * Moves a ticket on where its workflow says so: when nothing in an automatic phase is open, its gate is judged; passed, the
 * ticket goes forward; refused, the phase does what it has for that, or the ticket is blocked with the reasons. A ticket that
 * has nowhere to go, or cannot be judged, is left alone for a while, so that it holds up no other. Any number of coordinators
 * may try at once: every step names the visit it was decided in.
 */
export async function advanceTicket(parts: TicketParts, projectId: string, ticketId: string, signal: AbortSignal): Promise<void> {
  const em = parts.db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  if (ticket.state !== 'open' || !ticket.automatic || (await hasOpenTasks(em, ticket.visitId))) return;
  let hasWay = false;
  try {
    hasWay = await advance(parts, ticket, signal);
  } finally {
    if (!hasWay && !signal.aborted) await postponeTicket(parts.db.em.fork(), ticket.visitId, lookAgainMs);
  }
}

/** False where the workflow has nowhere to move the ticket to. */
async function advance(parts: TicketParts, ticket: TicketRow, signal: AbortSignal): Promise<boolean> {
  const { id: ticketId, projectId } = ticket;
  const em = parts.db.em.fork();
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const phase = findPhase(definition, ticket.phase);
  const to = nextPhase(definition, ticket.phase);
  if (phase === undefined || to === undefined) return false;

  const result =
    phase.gate === undefined
      ? undefined
      : ((await findStandingResult(em, ticket)) ?? (await validateGate(parts.gates, projectId, ticketId, { signal })));
  // Nobody has refused anything; whoever decides wakes this.
  if (result !== undefined && isWaitingForApproval(result)) return false;
  try {
    if (result !== undefined && result.outcome !== 'passed')
      return await afterRefusal(parts, { ticket, phase, definition, result, signal });
    await move(parts, ticket, { to, reason: 'the phase is complete' }, signal);
  } catch (error) {
    // Somebody else moved it, or added something to judge; the next look finds out.
    if (
      !(error instanceof CoordinatorError) ||
      !['version_conflict', 'gate_blocked', 'transition_refused', 'phase_closed'].includes(error.kind)
    )
      throw error;
  }
  return true;
}

const isWaitingForApproval = ({ reasons }: GateResult): boolean =>
  reasons.length > 0 && reasons.every(({ code }) => code === 'approval_waiting');

const move = (
  parts: TicketParts,
  ticket: TicketRow,
  { to, reason }: { to: string; reason: string },
  signal: AbortSignal,
): Promise<unknown> => {
  const step = { ticketId: ticket.id, to, reason, artifacts: {}, visit: ticket.visitNumber, force: false };
  const workflow: Caller = { tokenId: 'workflow', name: 'baton', projectId: ticket.projectId, projectName: '', role: 'operator' };
  return transitionTicket(parts.gates, workflow, step, {
    signal,
    run: (db) => transact(db, ticket.projectId, (tx) => moveTicket(tx, parts.sessions, workflow, step)),
  });
};

interface Refusal {
  readonly ticket: TicketRow;
  readonly phase: PhaseDefinition;
  readonly definition: WorkflowDefinition;
  readonly result: GateResult;
  readonly signal: AbortSignal;
}

async function afterRefusal(parts: TicketParts, { ticket, phase, definition, result, signal }: Refusal): Promise<boolean> {
  const { onRefused } = phase;
  const rounds = await countRefusals(parts.db.em.fork(), ticket.id, phase.name);
  const reasons = toSentence(result.reasons);
  if (onRefused !== undefined && rounds < onRefused.roundsMax) {
    const isFirstToSee = await countRefusal(parts, ticket, onRefused.regressTo === undefined ? phase : undefined);
    if (isFirstToSee && onRefused.regressTo !== undefined) await move(parts, ticket, { to: onRefused.regressTo, reason: reasons }, signal);
    return true;
  }
  if (definition.blockedPhase === undefined) return false;
  const why = onRefused === undefined ? '' : `After ${rounds === 1 ? 'one round' : `${rounds} rounds`}: `;
  await move(parts, ticket, { to: definition.blockedPhase, reason: `The gate of ${phase.name} refused. ${why}${reasons}` }, signal);
  return true;
}

/** Counts the refusal of this visit once, and makes the tasks of the next round. False where another coordinator was first. */
const countRefusal = (parts: TicketParts, seen: TicketRow, makeTasksOf: PhaseDefinition | undefined): Promise<boolean> =>
  transact(parts.db, seen.projectId, async (tx) => {
    const ticket = await lockTicket(tx.em, seen.projectId, seen.id);
    if (ticket.visitId !== seen.visitId || (await hasOpenTasks(tx.em, seen.visitId))) return false;
    await rowsOf(tx.em, sql`update phase_visits set refusals = refusals + 1 where id = ${ticket.visitId}`);
    if (makeTasksOf !== undefined) await makeTasks(tx, ticket, makeTasksOf.tasks, ['refused']);
    return true;
  });
