import { CoordinatorError } from '@baton/protocol';
import type { ArtifactOrigin } from '../artifact/artifact.service.ts';
import type { CallContext } from '../call.ts';
import type { Tx } from '../db/transaction.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import { holdAttempt, holdSession } from '../task/fence.store.ts';
import { whyOver } from './ticket-rules.ts';
import { holdTicket } from './ticket.store.ts';

export interface EvidenceCall {
  readonly ticketId: string;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

export interface EvidencePlace extends ArtifactOrigin {
  /** Why nothing is judged of this ticket any more; undefined where something may be. */
  readonly over: string | undefined;
}

/**
 * Keeps a ticket in its phase while evidence is added to it, and tells where the evidence comes from. With a task the call is
 * fenced by its attempt.
 */
export async function holdTicketForEvidence(
  tx: Tx,
  { caller, session }: Pick<CallContext, 'caller' | 'session'>,
  { ticketId, taskId, attempt }: EvidenceCall,
): Promise<EvidencePlace> {
  const ticket = await holdTicket(tx.em, tx.projectId, ticketId);
  await lockVisit(tx.em, ticket.visitId);
  if (session !== undefined) await holdSession(tx.em, session.sessionId);
  // A ticket that could not move may be able to now.
  tx.hints.ticketIds.add(ticketId);
  const held =
    taskId === undefined ? undefined : await holdAttempt(tx, { taskId, attempt, sessionId: session?.sessionId, token: caller.name });
  if (held !== undefined && held.ticketId !== ticketId)
    throw new CoordinatorError('claim_stale', { taskId, message: 'The task belongs to another ticket.' });
  return {
    ticketId,
    visitId: ticket.visitId,
    visitNumber: ticket.visitNumber,
    phase: ticket.phase,
    author: session?.agentName ?? caller.name,
    tokenId: caller.tokenId,
    token: caller.name,
    taskId,
    attempt: held?.attempt,
    over: whyOver(ticket),
  };
}
