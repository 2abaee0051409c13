import { CoordinatorError, type GateResult, type PhaseDefinition, type WorkflowDefinition } from '@baton/protocol';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Caller } from '../call.ts';
import { rowsOf } from '../db/rows.ts';
import { transact } from '../db/transaction.ts';
import { findBoundResult, validateGate } from '../gate/gate.service.ts';
import { toSentence } from '../gate/gate-rules.ts';
import { countRefusals, type RecordedResult } from '../gate/gate.store.ts';
import { findEdge, findPhase, nextPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { makeTasks } from './enter-phase.ts';
import type { TicketRow } from './ticket.entity.ts';
import { judgeAndMove } from './pass-gate.ts';
import { moveTicket, type TicketParts } from './ticket.service.ts';
import { getTicket, hasOpenTasks, lockTicket, postponeTicket, writeHindrance } from './ticket.store.ts';

/** How long a ticket that has nowhere to go is left alone, unless something is added to it. */
const lookAgainMs = 10_000;

/**
 * Moves a ticket on where its workflow says so: when nothing in an automatic phase is open, its gate is judged; passed, the
 * ticket goes forward; refused, the phase does what it has for that, or the ticket is blocked with the reasons. Whatever else
 * keeps it from going on blocks it in the same way. A ticket that has nowhere to go, or cannot be judged, is left alone for a
 * while, so that it holds up no other. Any number of coordinators may try at once: every step names the visit it was decided in.
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
  const em = parts.db.em.fork();
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const phase = findPhase(definition, ticket.phase);
  const to = nextPhase(definition, ticket.phase);
  if (phase === undefined || to === undefined) return false;

  try {
    const result = phase.gate === undefined ? undefined : await findOrJudge(parts, ticket, signal);
    // Nobody has refused anything; whoever decides wakes this.
    if (result !== undefined && isWaitingForApproval(result)) return false;
    if (result !== undefined && result.outcome !== 'passed')
      return await afterRefusal(parts, { ticket, phase, definition, result, signal });
    await move(parts, ticket, { to, reason: 'the phase is complete' }, signal);
  } catch (error) {
    // What fails because this coordinator stops is no fault of the ticket's.
    if (signal.aborted || !(error instanceof CoordinatorError)) throw error;
    // Somebody else moved it, or added something to judge; the next look finds out.
    if (['version_conflict', 'gate_blocked', 'transition_refused', 'phase_closed'].includes(error.kind)) return true;
    if (error.retryable) throw error;
    const reason = `It cannot go on from ${phase.name}: ${describeError(error)}`;
    const isBlocked = await block(parts, { ticket, definition, signal, reason });
    if (!isBlocked) await noteHindrance(parts, ticket, reason);
    return isBlocked;
  }
  return true;
}

/** With the fields that it names, which its message leaves out. */
function describeError({ message, data }: CoordinatorError): string {
  const fields = z.array(z.object({ message: z.string() })).safeParse(data['fields']).data ?? [];
  const others = fields.filter((field) => !message.includes(field.message));
  return [message, ...others.map((field) => field.message)].join(' ');
}

/** What the gate says. Only a pass grows old: what was refused would be judged again and again while a ticket waits. */
async function findOrJudge({ db, gates }: TicketParts, ticket: TicketRow, signal: AbortSignal): Promise<RecordedResult | GateResult> {
  const bound = await findBoundResult(gates, db.em.fork(), ticket);
  const isUsable = bound !== undefined && !(bound.outcome === 'passed' && bound.hasAged);
  return isUsable ? bound : validateGate(gates, ticket.projectId, ticket.id, { signal });
}

const isWaitingForApproval = ({ reasons }: Pick<GateResult, 'reasons'>): boolean =>
  reasons.length > 0 && reasons.every(({ code }) => code === 'approval_waiting');

const move = (
  parts: TicketParts,
  ticket: TicketRow,
  { to, reason }: { to: string; reason: string },
  signal: AbortSignal,
): Promise<unknown> => {
  const step = { ticketId: ticket.id, to, reason, artifacts: {}, visit: ticket.visitNumber, force: false };
  const workflow: Caller = { tokenId: 'workflow', name: 'baton', projectId: ticket.projectId, projectName: '', role: 'operator' };
  return judgeAndMove(parts.gates, workflow, step, {
    signal,
    run: (db) => transact(db, ticket.projectId, (tx) => moveTicket(tx, parts, workflow, step)),
  });
};

interface Refusal {
  readonly ticket: TicketRow;
  readonly phase: PhaseDefinition;
  readonly definition: WorkflowDefinition;
  readonly result: Pick<GateResult, 'reasons'>;
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
  const why = onRefused === undefined ? '' : `After ${rounds === 1 ? 'one round' : `${rounds} rounds`}: `;
  return block(parts, { ticket, definition, signal, reason: `The gate of ${phase.name} refused. ${why}${reasons}` });
}

interface Block extends Pick<Refusal, 'ticket' | 'definition' | 'signal'> {
  readonly reason: string;
}

/** Takes a ticket to where blocked tickets wait. False where no edge leads there. */
async function block(parts: TicketParts, { ticket, definition, signal, reason }: Block): Promise<boolean> {
  const { blockedPhase: to } = definition;
  if (to === undefined || findEdge(definition, ticket.phase, to) === undefined) return false;
  await move(parts, ticket, { to, reason }, signal);
  return true;
}

/** Tells people why a ticket stays where it is, once for each reason. */
const noteHindrance = ({ db }: TicketParts, ticket: TicketRow, reason: string): Promise<void> =>
  transact(db, ticket.projectId, async (tx) => {
    const { id: ticketId, phase } = ticket;
    if (await writeHindrance(tx.em, ticket, reason)) tx.record('ticket.hindered', { ticketId, phase, reason });
  });

/** Counts the refusal of this visit once, and makes the tasks of the next round. False where another coordinator was first. */
const countRefusal = (parts: TicketParts, seen: TicketRow, makeTasksOf: PhaseDefinition | undefined): Promise<boolean> =>
  transact(parts.db, seen.projectId, async (tx) => {
    const ticket = await lockTicket(tx.em, seen.projectId, seen.id);
    if (ticket.visitId !== seen.visitId || (await hasOpenTasks(tx.em, seen.visitId))) return false;
    await rowsOf(tx.em, sql`update phase_visits set refusals = refusals + 1 where id = ${ticket.visitId}`);
    if (makeTasksOf !== undefined) await makeTasks(tx, ticket, makeTasksOf.tasks, ['refused']);
    return true;
  });
