import type { GateReason, GateResult, PhaseDefinition, WorkflowDefinition } from '@baton/protocol';
import { sql } from 'kysely';
import type { Caller } from '../call.ts';
import { rowsOf } from '../db/rows.ts';
import { transact, type Tx } from '../db/transaction.ts';
import { toSentence } from '../gate/gate-rules.ts';
import { countRefusals, countResults } from '../gate/gate.store.ts';
import { readBinding } from '../gate/judgeable.ts';
import { hasCrashed, isRefusal } from '../gate/refusal-rules.ts';
import { findEdge } from '../workflow/workflow-rules.ts';
import { makeTasks } from './enter-phase.ts';
import type { TicketRow } from './ticket.entity.ts';
import { moveTicket, type TicketParts } from './ticket.service.ts';
import { hasOpenTasks, lockTicket, type Look, postponeTicket, writeHindrance } from './ticket.store.ts';

/** What became of a ticket: it went on or will be looked at when it is due, it stays, or there is something else to be judged. */
export type Outcome = 'done' | 'stays' | 'changed';

/** How long a ticket is left alone that could not be looked at, or not be judged. */
export const lookAgainMs = 10_000;
/** How long one is left alone that has nowhere to go: what lets it go on tells its workflow, and nothing else is expected. */
export const staysMs = 600_000;
/** How long at most until a gate is judged again that could not be judged: somebody may have mended it. */
const judgeAgainMaxMs = 600_000;

/** Nothing was refused but approvals, and others are waited for: one that is refused cancels them only where the gate says so. */
const waitsForOthers = ({ gate }: PhaseDefinition, { reasons }: Refusal): boolean =>
  gate?.onApprovalRefused !== 'cancel_others' &&
  reasons.some(({ code }) => code === 'approval_waiting') &&
  reasons.filter(isRefusal).every(({ code }) => code === 'approval_refused');

/** A ticket as it was seen, in a phase that it leaves by itself. */
export interface Stay {
  readonly ticket: TicketRow;
  readonly look: Look;
  readonly phase: PhaseDefinition;
  readonly definition: WorkflowDefinition;
}

export type Refusal = Pick<GateResult, 'reasons' | 'digest'>;

/** Does what the phase has for a gate that was not passed. */
export const afterRefusal = (parts: TicketParts, stay: Stay, result: Refusal): Promise<Outcome> =>
  result.reasons.some(isRefusal) && !waitsForOthers(stay.phase, result) ? goBack(parts, stay, result) : stayHindered(parts, stay, result);

/** One transaction for the count and what follows it, so that a refusal counts once, whoever sees it and whenever he dies. */
const goBack = (parts: TicketParts, stay: Stay, { reasons, digest }: Refusal): Promise<Outcome> =>
  actInVisit(parts, stay.ticket, async (tx, ticket) => {
    if ((await readBinding(tx.em, parts.gates.plugins, ticket)).digest !== digest) return 'changed';
    const { name, onRefused, tasks } = stay.phase;
    const rounds = await countRefusals(tx.em, ticket.id, name);
    const said = toSentence(reasons);
    if (onRefused === undefined || rounds >= onRefused.roundsMax) {
      const why = onRefused === undefined ? '' : `After ${rounds === 1 ? 'one round' : `${rounds} rounds`}: `;
      return block(tx, parts, { ...stay, ticket }, `The gate of ${name} refused. ${why}${said}`);
    }
    await rowsOf(tx.em, sql`update phase_visits set refusals = refusals + 1 where id = ${ticket.visitId}`);
    if (onRefused.regressTo !== undefined) {
      await move(tx, parts, ticket, { to: onRefused.regressTo, reason: said });
    } else {
      await makeTasks(tx, ticket, tasks, ['refused']);
      await noteHindrance(tx, ticket, null);
    }
    return 'done';
  });

/** Nobody has refused anything: the ticket stays with all that was done, and says what it waits for unless that is people. */
async function stayHindered({ db }: TicketParts, { ticket, look, phase }: Stay, result: Refusal): Promise<Outcome> {
  const isTriedAgain = hasCrashed(result);
  if (isTriedAgain) {
    const em = db.em.fork();
    const times = await countResults(em, ticket.visitId, result.digest);
    await postponeTicket(em, look, Math.min(lookAgainMs * 2 ** (times - 1), judgeAgainMaxMs));
  }
  const said = isTriedAgain ? 'could not be judged, and will be judged again' : 'cannot be passed';
  const isAwaited = ({ code }: GateReason) => ['approval_waiting', 'approval_later', 'approval_refused'].includes(code);
  const reasons = result.reasons.filter((reason) => !isAwaited(reason));
  const reason = reasons.length === 0 ? null : `The gate of ${phase.name} ${said}: ${toSentence(reasons)}`;
  if (reason !== ticket.blockedReason) await transact(db, ticket.projectId, (tx) => noteHindrance(tx, ticket, reason));
  // Whoever decides wakes what waits for an approval.
  return isTriedAgain ? 'done' : 'stays';
}

/** Takes a ticket that cannot go on to where blocked tickets wait. Where no edge leads there it stays, and says why. */
export const blockTicket = (parts: TicketParts, stay: Stay, reason: string): Promise<Outcome> =>
  actInVisit(parts, stay.ticket, (tx, ticket) => block(tx, parts, { ...stay, ticket }, reason));

async function block(tx: Tx, parts: TicketParts, { ticket, definition }: Stay, reason: string): Promise<Outcome> {
  const { blockedPhase: to } = definition;
  if (to !== undefined && findEdge(definition, ticket.phase, to) !== undefined) {
    await move(tx, parts, ticket, { to, reason });
    return 'done';
  }
  await noteHindrance(tx, ticket, reason);
  return 'stays';
}

/** Locks the ticket and acts, unless it is elsewhere by now or there is work to be waited for. */
export const actInVisit = (
  { db }: TicketParts,
  { id, projectId, visitId }: TicketRow,
  act: (tx: Tx, ticket: TicketRow) => Promise<Outcome>,
): Promise<Outcome> =>
  transact(db, projectId, async (tx) => {
    const ticket = await lockTicket(tx.em, projectId, id);
    if (ticket.visitId !== visitId || ticket.state !== 'open' || (await hasOpenTasks(tx.em, visitId))) return 'done';
    return act(tx, ticket);
  });

/** Moves a ticket in the name of its workflow. */
export async function move(tx: Tx, parts: TicketParts, ticket: TicketRow, step: { to: string; reason: string }): Promise<void> {
  const workflow: Pick<Caller, 'name' | 'role'> = { name: 'baton', role: 'operator' };
  await moveTicket(tx, parts, workflow, { ...step, ticketId: ticket.id, artifacts: {}, force: false });
}

/** Tells people why a ticket stays where it is, once for each reason, or that it is no longer so. */
async function noteHindrance(tx: Tx, ticket: TicketRow, reason: string | null): Promise<void> {
  const { id: ticketId, phase } = ticket;
  if ((await writeHindrance(tx.em, ticket, reason)) && reason !== null) tx.record('ticket.hindered', { ticketId, phase, reason });
}
