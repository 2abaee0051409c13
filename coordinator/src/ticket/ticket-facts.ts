import type { PhaseVisitRow } from '../phase/phase-visit.entity.ts';
import { type Lookup, valueAt } from '../task/references.ts';
import type { TicketRow } from './ticket.entity.ts';

/** Looks up references to a ticket and to one of its visits. */
export const ticketFacts =
  ({ id, title, description, priority, metadata }: TicketRow, { number, phase, reason }: PhaseVisitRow): Lookup =>
  (reference) => {
    if (reference.kind === 'ticket') return valueAt({ id, title, description: description ?? '', priority, metadata }, reference.path);
    if (reference.kind === 'visit') return valueAt({ number, phase, reason: reason ?? '' }, reference.path);
    return undefined;
  };
