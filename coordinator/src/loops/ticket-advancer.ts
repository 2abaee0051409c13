import type { Log } from '../log.ts';
import { advanceTicket, type AdvanceOptions, type Step } from '../ticket/advance.service.ts';
import type { TicketParts } from '../ticket/ticket.service.ts';
import { listTicketsToAdvance } from '../ticket/ticket.store.ts';
import { createJudgementPlaces } from './judgement-places.ts';
import { createLoop, type Loop } from './loop.ts';

export interface TicketAdvancerParts {
  readonly tickets: TicketParts;
  readonly pollMs: number;
  readonly log: Log;
}

interface Due {
  readonly id: string;
  readonly projectId: string;
}

/** How many tickets one look finds. Few: what workflows are told of meanwhile is found first by the next. */
const ticketsMax = 25;
/** How many tickets are looked at at once. */
const looksMax = 4;
/** How many gates are judged at once by validators; those that wait beyond this find their place later. */
const judgements = { ofProject: 4, ofAll: 32, waitingMax: 1_000 };

/**
 * Moves tickets on whose phase says so and has nothing open, as soon as their last task ends. What validators have to be asked for is
 * left to them and holds up no ticket that needs none.
 */
export function createTicketAdvancer({ tickets, pollMs, log }: TicketAdvancerParts): Loop {
  const looks = new Map<string, Promise<void>>();
  const judging = new Map<string, 'waits' | 'under way'>();
  const places = createJudgementPlaces(judgements);

  const advance = async ({ id, projectId }: Due, options: AdvanceOptions): Promise<Step> => {
    try {
      return await advanceTicket(tickets, { projectId, ticketId: id }, options);
    } catch (error) {
      // One ticket that cannot be moved must not hold up the others.
      if (!options.signal.aborted) log.error({ err: error, ticketId: id }, 'a ticket could not be advanced');
      return 'stays';
    }
  };

  const judge = async (ticket: Due, signal: AbortSignal): Promise<void> => {
    const { id } = ticket;
    judging.set(id, 'under way');
    if (!signal.aborted) await advance(ticket, { signal, mayAsk: true });
    judging.delete(id);
    // What was added while it was judged has made it due, and it was passed over.
    loop.poke();
  };

  const look = async (ticket: Due, signal: AbortSignal): Promise<void> => {
    const { id, projectId } = ticket;
    if ((await advance(ticket, { signal, mayAsk: false })) !== 'unjudged') return;
    if (judging.has(id)) return;
    judging.set(id, 'waits');
    if (!places.enter(projectId, () => judge(ticket, signal))) judging.delete(id);
  };

  const loop = createLoop({
    name: 'ticket advancer',
    intervalMs: pollMs,
    log,
    async run(signal) {
      const due = await listTicketsToAdvance(tickets.db.em.fork(), ticketsMax);
      for (const ticket of due) {
        if (signal.aborted) break;
        // What has made it due may have come after that look.
        await looks.get(ticket.id);
        if (judging.get(ticket.id) === 'under way') continue;
        looks.set(
          ticket.id,
          look(ticket, signal).finally(() => looks.delete(ticket.id)),
        );
        if (looks.size >= looksMax) await Promise.race(looks.values());
      }
      if (due.length === ticketsMax) loop.poke();
    },
  });
  tickets.db.changes.onChange((change) => {
    if (change.tickets === true) loop.poke();
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await Promise.all(looks.values());
      await places.end();
    },
  };
}
