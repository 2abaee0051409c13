import { CoordinatorError } from '@baton/protocol';
import { type Place, takePlace } from '../gate/judgement-place.ts';
import type { Log } from '../log.ts';
import { advanceTicket, type AdvanceOptions, type Step } from '../ticket/advance.service.ts';
import type { TicketParts } from '../ticket/ticket.service.ts';
import { listTicketsToAdvance } from '../ticket/ticket.store.ts';
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

/**
 * Moves tickets on whose phase says so and has nothing open, as soon as their last task ends. What validators have to be asked for is
 * left to them and holds up no ticket that needs none.
 */
export function createTicketAdvancer({ tickets, pollMs, log }: TicketAdvancerParts): Loop {
  const { db, gates } = tickets;
  const looks = new Map<string, Promise<void>>();
  /** Those that are judged by validators or wait for a place, and of these those that have one. */
  const judgements = new Map<string, Promise<void>>();
  const placed = new Set<string>();

  const advance = async ({ id, projectId }: Due, options: AdvanceOptions): Promise<Step> => {
    try {
      return await advanceTicket(tickets, { projectId, ticketId: id }, options);
    } catch (error) {
      // One ticket that cannot be moved must not hold up the others.
      if (!options.signal.aborted) log.error({ err: error, ticketId: id }, 'a ticket could not be advanced');
      return 'stays';
    }
  };

  const findPlace = async ({ id: ticketId, projectId }: Due, signal: AbortSignal): Promise<Place | undefined> => {
    try {
      return await takePlace({ em: db.em.fork(), turns: gates.turns }, { projectId, ticketId, purpose: 'workflow' }, signal);
    } catch (error) {
      // Where too many wait it comes again when it is due.
      const isExpected = signal.aborted || (error instanceof CoordinatorError && error.kind === 'overloaded');
      if (!isExpected) log.error({ err: error, ticketId }, 'a ticket found no place to be judged');
      return undefined;
    }
  };

  const judge = async (ticket: Due, signal: AbortSignal): Promise<void> => {
    using place = await findPlace(ticket, signal);
    if (place === undefined || signal.aborted) return;
    placed.add(ticket.id);
    await advance(ticket, { signal, place });
    placed.delete(ticket.id);
  };

  const look = async (ticket: Due, signal: AbortSignal): Promise<void> => {
    const { id } = ticket;
    if ((await advance(ticket, { signal })) !== 'unjudged' || judgements.has(id)) return;
    const end = () => {
      judgements.delete(id);
      // What was added while it was judged has made it due, and it was passed over.
      loop.poke();
    };
    judgements.set(id, judge(ticket, signal).finally(end));
  };

  const loop = createLoop({
    name: 'ticket advancer',
    intervalMs: pollMs,
    log,
    async run(signal) {
      const due = await listTicketsToAdvance(db.em.fork(), ticketsMax);
      for (const ticket of due) {
        if (signal.aborted) break;
        // What has made it due may have come after that look.
        await looks.get(ticket.id);
        if (placed.has(ticket.id)) continue;
        looks.set(
          ticket.id,
          look(ticket, signal).finally(() => looks.delete(ticket.id)),
        );
        if (looks.size >= looksMax) await Promise.race(looks.values());
      }
      if (due.length === ticketsMax) loop.poke();
    },
  });
  db.changes.onChange((change) => {
    if (change.tickets === true) loop.poke();
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await Promise.all(looks.values());
      await Promise.all(judgements.values());
    },
  };
}
