import { CoordinatorError, type JsonObject, type PhaseVisit, type Priority, type Ticket } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Caller } from '../call.ts';
import type { Database, Tx } from '../db/transaction.ts';
import type { GateParts } from '../gate/gate.service.ts';
import { toPhaseVisit } from '../phase/phase-visit.store.ts';
import type { Sessions } from '../task/attempt-end.service.ts';
import { edgesFrom, firstPhase, type Way } from '../workflow/workflow-rules.ts';
import type { WorkflowRow } from '../workflow/workflow.entity.ts';
import { getWorkflow, getWorkflowByName, type WorkflowName } from '../workflow/workflow.store.ts';
import { enterPhase, leavePhase } from './enter-phase.ts';
import { passGate } from './pass-gate.ts';
import { TicketEntity, type TicketRow } from './ticket.entity.ts';
import { whyOver } from './ticket-rules.ts';
import { lockTicket, toTicket } from './ticket.store.ts';

export interface TicketParts {
  readonly db: Database;
  readonly gates: GateParts;
  readonly sessions: Sessions;
  /** As for `judgeAlone`. */
  readonly judgingLeaseMs: number;
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
    // Of the first visit, which is opened in this transaction.
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

/** Moves a ticket in one transaction: the edge, the gate of the phase that is left, the visit and the event. */
export async function moveTicket(
  tx: Tx,
  { gates, sessions }: Pick<TicketParts, 'gates' | 'sessions'>,
  caller: Pick<Caller, 'name' | 'role'>,
  move: Move,
): Promise<Moved> {
  const ticket = await lockTicket(tx.em, tx.projectId, move.ticketId);
  const workflow = await getWorkflow(tx.em, ticket.workflowId);
  const way = findWay(workflow, ticket, move);
  const forced = await passGate(tx, gates, { caller, ticket, way, move }, workflow);

  const { blockedPhase } = workflow.definition;
  const from = ticket.phase;
  await leavePhase(tx, sessions, ticket, `the ticket moved to ${move.to}`);
  ticket.previousPhase = from;
  ticket.blockedIn = move.to === blockedPhase ? from : null;
  ticket.blockedReason = move.to === blockedPhase ? (move.reason ?? null) : null;
  const { kind } = way;
  const entry = { from, to: move.to, kind, by: caller.name, reason: move.reason, artifacts: move.artifacts, forced };
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

/** @throws CoordinatorError where there is no such way from where the ticket is, or it is elsewhere by now */
function findWay({ definition }: WorkflowRow, ticket: TicketRow, { to, visit }: Move): Way {
  if (visit !== undefined && visit !== ticket.visitNumber) {
    const message = `It is in visit ${ticket.visitNumber} by now, in ${ticket.phase}: decide about what is there now, and name that visit.`;
    throw new CoordinatorError('version_conflict', { visit, currentVisit: ticket.visitNumber, message });
  }
  const { phase: from } = ticket;
  const phases = definition.phases.map(({ name }) => name);
  if (!phases.includes(to))
    throw new CoordinatorError('phase_unknown', { phase: to, phases, message: `${to} is none of ${phases.join(', ')}.` });
  const ways = edgesFrom(definition, ticket);
  const way = ways.find((each) => each.to === to);
  if (way !== undefined) return way;
  const valid = ways.map((each) => each.to);
  const message = whyOver(ticket) ?? `No edge leads from ${from} to ${to}; from ${from} it can go to ${valid.join(', ') || 'no other'}.`;
  throw new CoordinatorError('transition_refused', { from, to, valid, message });
}
