import {
  CoordinatorError,
  type GateReason,
  type JsonObject,
  mayAccess,
  type PhaseVisit,
  type Priority,
  type Ticket,
} from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Caller } from '../call.ts';
import type { Database, Tx } from '../db/transaction.ts';
import { toSentence } from '../gate/gate-rules.ts';
import { findStandingResult, type GateParts, readGateStatus, validateGate } from '../gate/gate.service.ts';
import { toPhaseVisit } from '../phase/phase-visit.store.ts';
import type { Sessions } from '../task/attempt-end.service.ts';
import { edgesFrom, findPhase, firstPhase } from '../workflow/workflow-rules.ts';
import type { WorkflowRow } from '../workflow/workflow.entity.ts';
import { getWorkflow, getWorkflowByName, type WorkflowName } from '../workflow/workflow.store.ts';
import { enterPhase, leavePhase } from './enter-phase.ts';
import { TicketEntity, type TicketRow } from './ticket.entity.ts';
import { getTicket, lockTicket, toTicket } from './ticket.store.ts';

export interface TicketParts {
  readonly db: Database;
  readonly gates: GateParts;
  readonly sessions: Sessions;
}

export interface NewTicket {
  readonly title: string;
  readonly description?: string | undefined;
  readonly priority: Priority;
  readonly workflow: WorkflowName;
  readonly metadata: JsonObject;
}

export async function createTicket(
  tx: Tx,
  by: string,
  { title, description, priority, workflow: wanted, metadata }: NewTicket,
): Promise<Ticket> {
  const { em, projectId } = tx;
  const workflow = await getWorkflowByName(em, projectId, wanted);
  const { name: phase } = firstPhase(workflow.definition);
  const ticket = em.create(TicketEntity, {
    id: uuidv7(),
    projectId,
    title,
    priority,
    metadata,
    phase,
    description: description ?? null,
    workflowId: workflow.id,
    previousPhase: null,
    blockedIn: null,
    blockedReason: null,
    // Overwritten by the entry into the first phase, in this transaction.
    visitId: uuidv7(),
    visitNumber: 0,
    state: 'open',
    automatic: false,
  });
  await em.flush();
  tx.record('ticket.created', { ticketId: ticket.id, title, workflow: workflow.name, phase });
  await enterPhase(tx, workflow.definition, ticket, {
    from: null,
    to: phase,
    kind: null,
    by,
    reason: undefined,
    artifacts: {},
    forced: false,
  });
  return toTicket(ticket, workflow);
}

export interface Move {
  readonly ticketId: string;
  readonly to: string;
  readonly reason?: string | undefined;
  readonly artifacts: JsonObject;
  /** Refused unless the ticket is still in this visit. */
  readonly visit?: number | undefined;
  readonly force: boolean;
}

export interface Moved {
  readonly ticket: Ticket;
  readonly visit: PhaseVisit;
}

/** How often the gate is judged anew because what it judged changed meanwhile, before the caller is told to come again. */
const judgementsMax = 3;

/**
 * What a forward move needs before its transaction: a result of the gate that is left, which still stands. Validators may take
 * minutes, so they run here and never inside.
 */
export async function prepareMove(
  parts: GateParts,
  { projectId }: Pick<Caller, 'projectId'>,
  move: Move,
  signal?: AbortSignal,
): Promise<void> {
  const em = parts.db.em.fork();
  const ticket = await getTicket(em, projectId, move.ticketId);
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const edge = edgesFrom(definition, ticket).find(({ to }) => to === move.to);
  const gate = findPhase(definition, ticket.phase)?.gate;
  if (edge?.kind !== 'forward' || gate === undefined || move.force) return;
  // Refused by the move itself, and a refused call has judged nothing.
  if (move.visit !== undefined && move.visit !== ticket.visitNumber) return;
  if ((await findStandingResult(em, ticket))?.outcome !== 'passed') await validateGate(parts, projectId, move.ticketId, { signal });
}

/** Thrown inside the transaction where the evidence changed after it was judged; the mover judges anew. */
export class EvidenceChanged extends Error {
  override readonly name = 'EvidenceChanged';
}

/** Moves a ticket in one transaction: the edge, the gate of the phase that is left, the visit, its context and the event. */
export async function moveTicket(tx: Tx, sessions: Sessions, caller: Pick<Caller, 'name' | 'role'>, move: Move): Promise<Moved> {
  const ticket = await lockTicket(tx.em, tx.projectId, move.ticketId);
  const workflow = await getWorkflow(tx.em, ticket.workflowId);
  const kind = checkEdge(workflow, ticket, move);
  const isForced = kind === 'forward' && (await checkGate(tx, { caller, ticket, move }, workflow));

  const { blockedPhase } = workflow.definition;
  const from = ticket.phase;
  await leavePhase(tx, sessions, ticket, `the ticket moved to ${move.to}`);
  ticket.previousPhase = from;
  ticket.blockedIn = move.to === blockedPhase ? from : null;
  ticket.blockedReason = move.to === blockedPhase ? (move.reason ?? null) : null;
  const entry = { from, to: move.to, kind, by: caller.name, reason: move.reason, artifacts: move.artifacts, forced: isForced };
  const visit = await enterPhase(tx, workflow.definition, ticket, entry);
  tx.record('ticket.transitioned', {
    ticketId: ticket.id,
    from,
    to: move.to,
    kind,
    visit: visit.number,
    by: caller.name,
    ...(move.reason !== undefined && { reason: move.reason }),
  });
  return { ticket: toTicket(ticket, workflow), visit: toPhaseVisit(visit, visit.enteredAt) };
}

function checkEdge({ definition }: WorkflowRow, ticket: TicketRow, { to, visit }: Move) {
  if (visit !== undefined && visit !== ticket.visitNumber)
    throw new CoordinatorError('version_conflict', { visit, currentVisit: ticket.visitNumber });
  if (findPhase(definition, to) === undefined)
    throw new CoordinatorError('phase_unknown', { phase: to, phases: definition.phases.map(({ name }) => name) });
  const edges = edgesFrom(definition, ticket);
  const edge = edges.find((each) => each.to === to);
  if (edge === undefined) throw new CoordinatorError('transition_refused', { from: ticket.phase, to, valid: edges.map((each) => each.to) });
  return edge.kind;
}

interface Leaving {
  readonly caller: Pick<Caller, 'name' | 'role'>;
  readonly ticket: TicketRow;
  readonly move: Move;
}

/** Lets a ticket past its gate, or throws. Answers whether an admin had to force it. */
async function checkGate(tx: Tx, leaving: Leaving, { definition }: WorkflowRow): Promise<boolean> {
  const { ticket, move } = leaving;
  if (findPhase(definition, ticket.phase)?.gate === undefined) return false;
  const result = await findStandingResult(tx.em, ticket);
  if (result?.outcome === 'passed') return false;
  if (move.force) {
    forceGate(tx, leaving, result?.reasons ?? (await readGateStatus(tx.em, tx.projectId, ticket.id)).missing);
    return true;
  }
  if (result === undefined) throw new EvidenceChanged();
  const message = toSentence(result.reasons);
  throw new CoordinatorError('gate_blocked', { phase: ticket.phase, resultId: result.id, reasons: result.reasons, message });
}

function forceGate(tx: Tx, { caller: { name, role }, ticket, move: { reason } }: Leaving, reasons: readonly GateReason[]): void {
  if (!mayAccess(role, 'administer')) {
    throw new CoordinatorError('access_denied', { role, needs: 'administer', message: 'Only an admin may force a gate.' });
  }
  if (reason === undefined) {
    throw new CoordinatorError('invalid_params', { fields: [{ path: 'reason', message: 'A forced transition needs a reason.' }] });
  }
  tx.record('ticket.gateForced', { ticketId: ticket.id, phase: ticket.phase, by: name, reason, reasons: [...reasons] });
}

/** Judges and moves, and judges anew where the evidence changed in between. */
export async function transitionTicket<T>(
  parts: GateParts,
  caller: Caller,
  move: Move,
  { signal, run }: { readonly signal?: AbortSignal; readonly run: (db: Database) => Promise<T> },
): Promise<T> {
  for (let judgements = 1; ; judgements += 1) {
    await prepareMove(parts, caller, move, signal);
    try {
      return await run(parts.db);
    } catch (error) {
      if (!(error instanceof EvidenceChanged)) throw error;
      if (judgements >= judgementsMax) {
        throw new CoordinatorError(
          'overloaded',
          { retryAfterMs: 1_000, message: 'The evidence keeps changing while it is judged.' },
          { cause: error },
        );
      }
    }
  }
}
