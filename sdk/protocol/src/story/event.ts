import { at, ids } from './cast.ts';

/** What the stream of the project begins with, as far as it is about the ticket. The second fact was that an agent registered. */
export const firstEvents = [
  {
    seq: 1,
    name: 'ticket.created' as const,
    ticketId: ids.ticket,
    at: at('09:01:00'),
    data: { ticketId: ids.ticket, title: 'Sign-in fails for names with an apostrophe', workflow: 'bug-fix', phase: 'FIX' },
  },
  {
    seq: 3,
    name: 'task.submitted' as const,
    ticketId: ids.ticket,
    at: at('09:03:00'),
    data: { ticketId: ids.ticket, phase: 'FIX', taskCount: 4 },
  },
];
