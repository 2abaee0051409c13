import { CoordinatorError, type GateReason, mayAccess } from '@baton/protocol';
import type { Caller } from '../call.ts';
import type { Database, Tx } from '../db/transaction.ts';
import { toSentence } from '../gate/gate-rules.ts';
import { findStandingResult, type GateParts, judgeUnasked, readGateStatus, validateGate } from '../gate/gate.service.ts';
import { edgesFrom, findPhase, gatesAround, type Way } from '../workflow/workflow-rules.ts';
import type { WorkflowRow } from '../workflow/workflow.entity.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import type { TicketRow } from './ticket.entity.ts';
import type { Move } from './ticket.service.ts';
import { getTicket } from './ticket.store.ts';

/** How often the gate is judged anew because what it judged changed meanwhile, before the caller is told to come again. */
const judgementsMax = 3;

/** Thrown inside the transaction where no result stands any more: it is undone, and the gate is judged anew outside of it. */
export class ResultGone extends Error {
  override readonly name = 'ResultGone';
}

/**
 * Judges the gate that a move has to pass, and moves. Validators may take minutes, so they run before the transaction and never
 * inside; where what they judged changes in between, they judge anew.
 */
export async function judgeAndMove<T>(
  parts: GateParts,
  { projectId }: Pick<Caller, 'projectId'>,
  move: Move,
  { signal, run }: { readonly signal?: AbortSignal; readonly run: (db: Database) => Promise<T> },
): Promise<T> {
  for (let judgements = 1; ; judgements += 1) {
    await judgeBefore(parts, projectId, move, signal);
    try {
      return await run(parts.db);
    } catch (error) {
      if (!(error instanceof ResultGone)) throw error;
      if (judgements >= judgementsMax) {
        const message = 'The evidence keeps changing while it is judged.';
        throw new CoordinatorError('overloaded', { retryAfterMs: 1_000, message }, { cause: error });
      }
    }
  }
}

async function judgeBefore(parts: GateParts, projectId: string, move: Move, signal: AbortSignal | undefined): Promise<void> {
  const em = parts.db.em.fork();
  const ticket = await getTicket(em, projectId, move.ticketId);
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const edge = edgesFrom(definition, ticket).find(({ to }) => to === move.to);
  const gate = findPhase(definition, ticket.phase)?.gate;
  if (edge?.kind !== 'forward' || gate === undefined || move.force) return;
  // Refused by the move itself, and a refused call has judged nothing.
  if (move.visit !== undefined && move.visit !== ticket.visitNumber) return;
  if ((await findStandingResult(parts, em, ticket))?.outcome === 'passed') return;
  // What is known already waits for no place among the judgements.
  if ((await judgeUnasked(parts, projectId, move.ticketId)) === 'unjudged')
    await validateGate(parts, projectId, move.ticketId, { signal, takesOver: true, purpose: 'transition' });
}

export interface Leaving {
  readonly caller: Pick<Caller, 'name' | 'role'>;
  readonly ticket: TicketRow;
  readonly way: Way;
  readonly move: Pick<Move, 'force' | 'reason'>;
}

/** Lets a locked ticket go its way, or throws. Answers whether an admin had to force it. */
export async function passGate(tx: Tx, gates: GateParts, leaving: Leaving, workflow: WorkflowRow): Promise<boolean> {
  const around = reasonsAround(leaving, workflow);
  if (around.length > 0) {
    if (!leaving.move.force) throw refuseAround(leaving, around);
    for (const reason of around) forceGate(tx, leaving, { phase: reason.phase ?? leaving.ticket.phase, reasons: [reason] });
    return true;
  }
  return leaving.way.kind === 'forward' && passOwnGate(tx, gates, leaving, workflow);
}

/** What stands against a way that leads around gates. */
function reasonsAround({ ticket, way }: Leaving, { definition }: WorkflowRow): GateReason[] {
  return gatesAround(definition, ticket, way).map((phase) => ({
    code: 'gate_skipped',
    phase,
    message: `The gate of ${phase} has not been passed.`,
  }));
}

function refuseAround({ ticket: { phase, blockedIn }, way: { to } }: Leaving, reasons: readonly GateReason[]): CoordinatorError {
  const remedy =
    typeof blockedIn === 'string' ? `Return to ${blockedIn} and go on from there` : 'Go on along the forward edges of the workflow';
  const message = `The way to ${to} leads around gates: ${toSentence(reasons)}. ${remedy}; an admin may force it.`;
  return new CoordinatorError('gate_blocked', { phase, reasons: [...reasons], message });
}

async function passOwnGate(tx: Tx, gates: GateParts, leaving: Leaving, { definition }: WorkflowRow): Promise<boolean> {
  const { ticket, move } = leaving;
  const { phase } = ticket;
  if (findPhase(definition, phase)?.gate === undefined) return false;
  const result = await findStandingResult(gates, tx.em, ticket);
  if (result?.outcome === 'passed') return false;
  if (move.force) {
    forceGate(tx, leaving, { phase, reasons: result?.reasons ?? (await readGateStatus(gates, tx.em, ticket)).missing });
    return true;
  }
  if (result === undefined) throw new ResultGone();
  const { id: resultId, reasons } = result;
  throw new CoordinatorError('gate_blocked', { phase, resultId, reasons, message: toSentence(reasons) });
}

interface Forced {
  readonly phase: string;
  readonly reasons: readonly GateReason[];
}

function forceGate(tx: Tx, { caller: { name, role }, ticket, move: { reason } }: Leaving, { phase, reasons }: Forced): void {
  if (!mayAccess(role, 'administer')) {
    throw new CoordinatorError('access_denied', {
      role,
      needs: 'administer',
      message: `It has the role ${role}; only an admin may force a gate.`,
    });
  }
  if (reason === undefined) {
    throw new CoordinatorError('invalid_params', { fields: [{ path: 'reason', message: 'A forced transition needs a reason.' }] });
  }
  tx.record('ticket.gateForced', { ticketId: ticket.id, phase, by: name, reason, reasons: [...reasons] });
}
