import { CoordinatorError, type JsonObject, type Priority, type Ticket } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import type { Sessions } from '../task/attempt-end.service.ts';
import { reprioritise } from '../task/reprioritise.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { leavePhase } from './enter-phase.ts';
import type { TicketRow } from './ticket.entity.ts';
import { whyOver } from './ticket-rules.ts';
import type { Move } from './ticket.service.ts';
import { getTicket, lockTicket, toTicket } from './ticket.store.ts';

export interface TicketChange {
  readonly ticketId: string;
  /** As it was read. */
  readonly version: number;
  readonly title?: string | undefined;
  readonly description?: string | null | undefined;
  readonly priority?: Priority | undefined;
  readonly metadata?: JsonObject | undefined;
}

/** Changes what a ticket says of itself, unless it has changed since its version was read, or is over. */
export async function updateTicket(tx: Tx, by: string, { ticketId, version, ...change }: TicketChange): Promise<Ticket> {
  const ticket = await lockTicket(tx.em, tx.projectId, ticketId);
  await lockVisit(tx.em, ticket.visitId);
  const over = whyOver(ticket);
  if (over !== undefined)
    throw new CoordinatorError('phase_closed', { ticketId, phase: ticket.phase, message: `${over} What it says of itself stays.` });
  if (ticket.version !== version) {
    const message = `It is at version ${ticket.version}: read it again, and decide about what it says now.`;
    throw new CoordinatorError('version_conflict', { ticketId, version, currentVersion: ticket.version, message });
  }
  const { priority: before } = ticket;
  const changed = (['title', 'description', 'priority', 'metadata'] as const).filter((field) => change[field] !== undefined);
  if (change.title !== undefined) ticket.title = change.title;
  if (change.description !== undefined) ticket.description = change.description;
  if (change.priority !== undefined) ticket.priority = change.priority;
  if (change.metadata !== undefined) ticket.metadata = change.metadata;
  if (changed.length > 0) {
    await saveChange(tx, ticket);
    if (ticket.priority !== before) await reprioritise(tx, { visitId: ticket.visitId, before, after: ticket.priority });
    // Its validators are shown what it says of itself.
    tx.hints.ticketIds.add(ticketId);
    tx.record('ticket.updated', { ticketId, version: ticket.version, changed, by });
  }
  return toTicket(ticket, await getWorkflow(tx.em, ticket.workflowId));
}

/** Ends a ticket where it stands, for good. Again is no error; a closed one stays closed. */
export async function cancelTicket(
  tx: Tx,
  sessions: Sessions,
  { ticketId, reason, by }: { readonly ticketId: string; readonly reason: string; readonly by: string },
): Promise<Ticket> {
  const ticket = await lockTicket(tx.em, tx.projectId, ticketId);
  const over = whyOver(ticket);
  if (over !== undefined && ticket.state === 'closed')
    throw new CoordinatorError('transition_refused', { ticketId, from: ticket.phase, message: over });
  if (ticket.state !== 'cancelled') {
    await leavePhase(tx, sessions, ticket, `the ticket was cancelled: ${reason}`);
    ticket.state = 'cancelled';
    ticket.automatic = false;
    ticket.blockedReason = null;
    await saveChange(tx, ticket);
    tx.record('ticket.cancelled', { ticketId, phase: ticket.phase, by, reason });
  }
  return toTicket(ticket, await getWorkflow(tx.em, ticket.workflowId));
}

async function saveChange({ em }: Tx, ticket: TicketRow): Promise<void> {
  ticket.version += 1;
  await em.flush();
  const [touched] = await rowsOf(
    em,
    sql<{ updatedAt: string }>`update tickets set updated_at = clock_timestamp() where id = ${ticket.id} returning updated_at`,
  );
  if (touched !== undefined) ticket.updatedAt = new Date(touched.updatedAt);
}

/** The move to where blocked tickets wait. The workflow decides whether there is such a way. */
export async function planBlock({ em, projectId }: Pick<Tx, 'em' | 'projectId'>, ticketId: string, reason: string): Promise<Move> {
  const ticket = await getTicket(em, projectId, ticketId);
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const { blockedPhase: to } = definition;
  if (to === undefined)
    throw new CoordinatorError('transition_refused', {
      from: ticket.phase,
      message: `The workflow ${definition.name} has no phase for blocked tickets.`,
    });
  return { ticketId, to, reason, artifacts: {}, force: false };
}

/** The move back to where a ticket was blocked. */
export async function planUnblock(
  { em, projectId }: Pick<Tx, 'em' | 'projectId'>,
  ticketId: string,
  reason: string | undefined,
): Promise<Move> {
  const { blockedIn, phase } = await getTicket(em, projectId, ticketId);
  if (blockedIn === null || blockedIn === undefined)
    throw new CoordinatorError('transition_refused', { from: phase, message: `The ticket is in ${phase} and not blocked.` });
  return { ticketId, to: blockedIn, reason, artifacts: {}, force: false };
}
