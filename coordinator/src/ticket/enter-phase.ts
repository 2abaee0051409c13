import type { EdgeKind, JsonObject, TaskTemplate, WorkflowDefinition } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { cancelApprovals } from '../approval/approval.service.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { PhaseVisitEntity, type PhaseVisitRow } from '../phase/phase-visit.entity.ts';
import { getVisit } from '../phase/phase-visit.store.ts';
import type { Sessions } from '../task/attempt-end.service.ts';
import { cancelOpenTasks } from '../task/cancel.service.ts';
import { fillTitle } from '../task/references.ts';
import { addTasks } from '../task/submit.service.ts';
import { ticketFacts } from './ticket-facts.ts';
import { findPhase, isFinal } from '../workflow/workflow-rules.ts';
import type { TicketRow } from './ticket.entity.ts';

/** Closes the visit a locked ticket is in: what is open in it is cancelled, and what it has come to stays as its items. */
export async function leavePhase(tx: Tx, sessions: Sessions, ticket: TicketRow, reason: string): Promise<void> {
  const visit = await getVisit(tx.em, ticket.visitId);
  await cancelOpenTasks(tx, sessions, visit.id, reason);
  await cancelApprovals(tx, ticket, reason);
  await rowsOf(
    tx.em,
    sql`update phase_visits set left_at = clock_timestamp(), told_at = null, look_again_at = null where id = ${visit.id}`,
  );
}

export interface Entry {
  readonly from: string | null;
  readonly to: string;
  readonly kind: EdgeKind | null;
  readonly by: string;
  readonly reason: string | undefined;
  readonly artifacts: JsonObject;
  readonly forced: boolean;
}

/** Opens the next visit of a locked ticket, and makes the tasks that the phase makes by itself. */
export async function enterPhase(tx: Tx, workflow: WorkflowDefinition, ticket: TicketRow, entry: Entry): Promise<PhaseVisitRow> {
  const { em } = tx;
  // A ticket is made with the id of its first visit.
  const isFirst = ticket.visitNumber === 0;
  const visit = em.create(PhaseVisitEntity, {
    id: isFirst ? ticket.visitId : uuidv7(),
    ticketId: ticket.id,
    number: ticket.visitNumber + 1,
    phase: entry.to,
    fromPhase: entry.from,
    kind: entry.kind,
    movedBy: entry.by,
    reason: entry.reason ?? null,
    artifacts: entry.artifacts,
    forced: entry.forced,
    leftAt: null,
  });
  const phase = findPhase(workflow, entry.to);
  const isBlocked = entry.to === workflow.blockedPhase;
  if (!isFirst) ticket.version += 1;
  ticket.visitId = visit.id;
  ticket.visitNumber = visit.number;
  ticket.phase = entry.to;
  ticket.state = isBlocked ? 'blocked' : isFinal(workflow, entry.to) ? 'closed' : 'open';
  ticket.automatic = phase?.advance === 'automatic';
  await em.flush();
  const [touched] = await rowsOf(
    em,
    sql<{ updatedAt: string }>`update tickets set updated_at = clock_timestamp() where id = ${ticket.id} returning updated_at`,
  );
  if (touched !== undefined) ticket.updatedAt = new Date(touched.updatedAt);

  const isReturn = await wasVisitedBefore(tx, visit);
  await makeTasks(tx, ticket, phase?.tasks ?? [], isReturn ? ['always', 'return'] : ['always', 'first']);
  // A phase that has nothing to do may be left at once.
  tx.hints.ticketIds.add(ticket.id);
  return visit;
}

async function wasVisitedBefore({ em }: Tx, { ticketId, phase, number }: PhaseVisitRow): Promise<boolean> {
  return (await em.count(PhaseVisitEntity, { ticketId, phase, number: { $lt: number } })) > 0;
}

/**
 * Makes the tasks of the templates for an occasion. Each takes the place of the one that its template made in an earlier round,
 * which a gate then passes over: by its reference, which is made up from the template's place where it has none.
 */
export async function makeTasks(
  tx: Tx,
  ticket: TicketRow,
  templates: readonly TaskTemplate[],
  occasions: readonly TaskTemplate['when'][],
): Promise<void> {
  const chosen = templates
    .map((template, index) => ({ ...template, ref: template.ref ?? `template.${index}` }))
    .filter(({ when }) => occasions.includes(when));
  if (chosen.length === 0) return;
  const { id: ticketId, visitId, phase, priority } = ticket;
  const facts = ticketFacts(ticket, await getVisit(tx.em, visitId));
  const tasks = chosen.map(({ when: _, title, ...task }) => ({
    ...task,
    title: title === undefined ? titleOf(task) : fillTitle(title, facts),
  }));
  await addTasks(tx, { ticketId, visitId, phase, priority, depth: 0 }, tasks);
}

const titleOf = ({ ref, type }: { readonly ref: string; readonly type: string }): string => (ref.startsWith('template.') ? type : ref);
