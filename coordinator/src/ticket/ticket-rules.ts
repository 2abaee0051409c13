import type { TicketRow } from './ticket.entity.ts';

/** Why nothing can happen to a ticket any more; undefined where it can. */
export function whyOver({ state, phase }: Pick<TicketRow, 'state' | 'phase'>): string | undefined {
  if (state === 'cancelled') return `The ticket was cancelled in ${phase}.`;
  return state === 'closed' ? `The ticket has come to its end in ${phase}.` : undefined;
}

/** Why no gate judges what is stored for a ticket; undefined where one may. */
export function whyUnjudged(ticket: Pick<TicketRow, 'state' | 'phase'>): string | undefined {
  const over = whyOver(ticket);
  if (over !== undefined) return `${over} No gate will judge this.`;
  if (ticket.state !== 'blocked') return undefined;
  return `The ticket is blocked in ${ticket.phase}, and no gate judges what is stored there. Store it once the ticket is unblocked (ticket/unblock).`;
}
