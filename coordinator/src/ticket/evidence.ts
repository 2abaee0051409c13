import { CoordinatorError } from '@baton/protocol';
import type { ArtifactOrigin } from '../artifact/artifact.service.ts';
import type { CallContext } from '../call.ts';
import type { Tx } from '../db/transaction.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import { findOwnAttempt, holdAttempt, holdSession } from '../task/fence.store.ts';
import type { TicketRow } from './ticket.entity.ts';
import { whyUnjudged } from './ticket-rules.ts';
import { holdTicket } from './ticket.store.ts';

export interface EvidenceCall {
  readonly ticketId: string;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
  /** Refused unless the ticket is still in this visit. */
  readonly visit?: number | undefined;
  /** An attempt that is named need not run any more: what is noted is no evidence. */
  readonly mayHaveEnded?: boolean;
}

export interface EvidencePlace extends ArtifactOrigin {
  /** Why no gate will judge what is stored; undefined where one may. */
  readonly unjudged: string | undefined;
}

/**
 * Keeps a ticket in its phase while evidence is added to it, and tells where the evidence comes from. With a task the call is
 * fenced by its attempt, with a visit by that.
 */
export async function holdTicketForEvidence(
  tx: Tx,
  { caller, session }: Pick<CallContext, 'caller' | 'session'>,
  { ticketId, taskId, attempt, visit, mayHaveEnded = false }: EvidenceCall,
): Promise<EvidencePlace> {
  const ticket = await holdTicket(tx.em, tx.projectId, ticketId);
  if (visit !== undefined && visit !== ticket.visitNumber) throw leftVisit(visit, ticket);
  await lockVisit(tx.em, ticket.visitId);
  if (session !== undefined) await holdSession(tx.em, session.sessionId);
  const fence = taskId === undefined ? undefined : { taskId, attempt, sessionId: session?.sessionId, token: caller.name };
  const held =
    fence && (mayHaveEnded && attempt !== undefined ? await findOwnAttempt(tx, { ...fence, attempt }) : await holdAttempt(tx, fence));
  if (held !== undefined && held.ticketId !== ticketId)
    throw new CoordinatorError('claim_stale', { taskId, message: 'The task belongs to another ticket.' });
  return {
    ticketId,
    visitId: ticket.visitId,
    visitNumber: ticket.visitNumber,
    phase: ticket.phase,
    author: session?.agentName ?? caller.name,
    role: caller.role,
    tokenId: caller.tokenId,
    token: caller.name,
    taskId,
    attempt: held?.attempt,
    unjudged: whyUnjudged(ticket),
  };
}

function leftVisit(visit: number, { id: ticketId, phase, visitNumber: currentVisit }: TicketRow): CoordinatorError {
  const message = `It was made for visit ${visit}, and the ticket is in visit ${currentVisit}, in ${phase}. Make it anew from what is there now, for that visit.`;
  return new CoordinatorError('version_conflict', { ticketId, visit, currentVisit, message });
}
