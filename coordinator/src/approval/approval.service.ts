import { type Approval, type ApprovalRule, CoordinatorError } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { CallContext } from '../call.ts';
import { noteItems, replaceTopics } from '../context/context.service.ts';
import { itemOfRefusal, refusalTopic } from '../context/returned-items.ts';
import type { Tx } from '../db/transaction.ts';
import { readAskedFor } from '../gate/judgeable.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { holdTicket } from '../ticket/ticket.store.ts';
import { type Authors, type Decider, settle, whyNot, whyNotAnew } from './approval-rules.ts';
import {
  endApprovals,
  getApproval,
  insertApprovals,
  insertDecision,
  listApprovalsOf,
  listAuthors,
  lockApprovals,
  setApprovalState,
} from './approval.store.ts';

export interface ApprovalRequest {
  readonly rules: readonly ApprovalRule[];
  /** Of the evidence that is to be approved. */
  readonly digest: string;
  /** Who asks again for what was refused or has expired; undefined where nobody does. */
  readonly renewedBy: Decider | undefined;
  /** One refusal cancels the others. */
  readonly othersAreCancelled: boolean;
}

/**
 * Cancels what waits for an answer about other evidence than this, and keeps the approvals of the visit as they are until the
 * transaction ends. The caller keeps the ticket in its phase and has locked its visit.
 */
export async function cancelOutdated(tx: Tx, ticket: TicketRow, digest: string): Promise<void> {
  await lockApprovals(tx.em, ticket.visitId);
  recordCancelled(tx, ticket, await endApprovals(tx.em, ticket.visitId, digest), 'what was to be approved has changed');
}

/** Asks for the approvals of a gate, each once for the same evidence, once the outdated ones are cancelled. */
export async function requestApprovals(
  tx: Tx,
  ticket: TicketRow,
  { rules, digest, renewedBy, othersAreCancelled }: ApprovalRequest,
): Promise<Approval[]> {
  const asked = await listApprovalsOf(tx.em, ticket.visitId, digest);
  const isAsked = ({ name }: ApprovalRule) =>
    asked.some(({ rule, state }) => rule.name === name && (renewedBy === undefined || state === 'waiting' || state === 'approved'));
  const missing = rules.filter((rule) => !isAsked(rule));
  // What a refusal has cancelled beside it is not asked for again by itself.
  const isRefusedForAll = othersAreCancelled && renewedBy === undefined && asked.some(({ state }) => state === 'refused');
  if (missing.length === 0 || isRefusedForAll) return asked;
  if (renewedBy !== undefined) refuseRenewal(renewedBy, asked, await listAuthors(tx.em, ticket.id));

  const { id: ticketId, projectId, visitId, visitNumber, phase } = ticket;
  const rows = missing.map((rule) => ({ id: uuidv7(), projectId, ticketId, visitId, visitNumber, phase, rule, digest }));
  await insertApprovals(tx.em, rows);
  for (const { id, rule } of rows)
    tx.record('approval.requested', { approvalId: id, ticketId, phase, visit: visitNumber, name: rule.name, count: rule.count });
  return listApprovalsOf(tx.em, visitId, digest);
}

/** @throws CoordinatorError `approval_not_yours` where something was refused that this caller may not ask for anew */
export function refuseRenewal(by: Decider, asked: readonly Approval[], authors: Authors): void {
  for (const { id: approvalId, rule, state } of asked) {
    const message = state === 'refused' ? whyNotAnew(rule, by, authors) : undefined;
    if (message !== undefined) throw new CoordinatorError('approval_not_yours', { approvalId, name: rule.name, message });
  }
}

/** Cancels what a visit waits for, as when the ticket leaves it. */
export async function cancelApprovals(tx: Tx, ticket: TicketRow, reason: string): Promise<void> {
  recordCancelled(tx, ticket, await endApprovals(tx.em, ticket.visitId), reason);
}

function recordCancelled(
  tx: Tx,
  { id: ticketId, phase }: Pick<TicketRow, 'id' | 'phase'>,
  cancelled: readonly { readonly id: string; readonly name: string }[],
  reason: string,
): void {
  for (const { id, name } of cancelled) tx.record('approval.cancelled', { approvalId: id, ticketId, phase, name, reason });
}

export interface Decision {
  readonly approvalId: string;
  readonly decision: 'approve' | 'refuse';
  readonly comment?: string | undefined;
}

/**
 * Writes down what somebody decides, and what it comes to. A token has one voice, whatever the agents that speak with it call
 * themselves. The same decision of it again changes nothing.
 */
export async function decideApproval(
  tx: Tx,
  { caller, session }: Pick<CallContext, 'caller' | 'session'>,
  { approvalId, decision, comment }: Decision,
): Promise<Approval> {
  if (decision === 'refuse' && comment === undefined)
    throw new CoordinatorError('invalid_params', {
      fields: [{ path: 'comment', message: 'A refusal needs a comment: what would have to change?' }],
    });
  const { name: by, role, tokenId } = caller;
  const { ticketId } = await getApproval(tx.em, tx.projectId, approvalId);
  const ticket = await holdTicket(tx.em, tx.projectId, ticketId);
  await lockVisit(tx.em, ticket.visitId);
  await lockApprovals(tx.em, ticket.visitId);
  const approval = await getApproval(tx.em, tx.projectId, approvalId);
  const own = approval.decisions.find((each) => each.by === by);
  if (own?.decision === decision) return approval;
  await refuseClosed(tx, ticket, approval);
  if (own !== undefined)
    throw new CoordinatorError('approval_closed', {
      approvalId,
      message: `It was decided otherwise with your token ${by}: ${own.decision}. A token has one voice.`,
    });
  const authors = await listAuthors(tx.em, ticketId);
  const reason = whyNot(approval.rule, { name: by, role }, authors);
  if (reason !== undefined) throw new CoordinatorError('approval_not_yours', { approvalId, name: approval.rule.name, message: reason });

  await insertDecision(tx.em, { approvalId, by, tokenId, agent: session?.agentName, role, decision, comment });
  const state = settle(approval.rule, [...approval.decisions, { decision }], authors);
  if (state !== 'waiting') await setApprovalState(tx.em, approvalId, state);
  const { name } = approval.rule;
  const { visitId, visitNumber } = ticket;
  if (decision === 'refuse')
    await noteItems(tx, [itemOfRefusal({ ticketId, visitId, visitNumber, phase: approval.phase, author: by, role }, { name, comment })]);
  else if (state === 'approved')
    await replaceTopics(tx, [{ ticketId, phase: approval.phase, topic: refusalTopic(name), texts: [] }], 'The approval was given.');
  tx.record('approval.decided', {
    approvalId,
    ticketId,
    phase: approval.phase,
    name,
    by,
    decision,
    state,
    ...(comment !== undefined && { comment }),
  });
  if (state === 'refused' && (await readAskedFor(tx.em, ticket)).gate?.onApprovalRefused === 'cancel_others')
    await cancelApprovals(tx, ticket, `"${name}" was refused`);
  // A ticket that moves by itself waits for this.
  tx.hints.ticketIds.add(ticketId);
  return getApproval(tx.em, tx.projectId, approvalId);
}

/** @throws CoordinatorError `approval_closed`, with what has become of it */
async function refuseClosed(tx: Tx, ticket: TicketRow, { id: approvalId, state, visit, digest, phase }: Approval): Promise<void> {
  const refuse = (message: string): never => {
    throw new CoordinatorError('approval_closed', { approvalId, state, message });
  };
  if (state !== 'waiting') refuse(`It is ${state}.`);
  if (visit !== ticket.visitNumber) refuse(`The ticket has left the phase ${phase}.`);
  if ((await readAskedFor(tx.em, ticket)).evidenceDigest !== digest)
    refuse('What was to be approved has changed since: validate the gate, and decide about what is there now.');
}
