import type { TicketRow } from './ticket.entity.ts';

/** Why nothing can happen to a ticket any more; undefined where it can. */
export function whyOver({ state, phase }: Pick<TicketRow, 'state' | 'phase'>): string | undefined {
  if (state === 'cancelled') return `The ticket was cancelled in ${phase}.`;
  return state === 'closed' ? `The ticket has come to its end in ${phase}.` : undefined;
}
