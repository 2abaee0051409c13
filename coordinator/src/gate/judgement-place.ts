import type { EntityManager } from '../db/orm.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { measureVisit, type VisitSize } from './evidence.store.ts';
import { usedBy } from './gate-rules.ts';
import { findGate } from './judgeable.ts';
import type { JudgementTurns } from './judgement-turns.ts';

/** Beyond this evidence is much: it is held in memory while validators look at it, by few judgements at a time. */
const largeBytes = 1024 * 1024;

/** A place for a judgement, to be given back, with what is to be shown as it was when the place was taken. */
export interface Place extends VisitSize, Disposable {}

/**
 * Waits until a gate may be judged. What no validator is asked about waits for nobody. How much there is to be shown is known when
 * there is a place: with much of it the place is given back for one among those that have as much.
 * @throws CoordinatorError `overloaded`
 */
export async function takePlace(
  { em, turns }: { readonly em: EntityManager; readonly turns: JudgementTurns },
  ticket: TicketRow,
  signal: AbortSignal | undefined,
): Promise<Place> {
  const { projectId, id: ticketId } = ticket;
  const gate = await findGate(em, ticket);
  if (gate === undefined || usedBy(gate).length === 0) return { contentBytes: 0, factBytes: 0, [Symbol.dispose]: () => {} };

  const enter = async (isLarge: boolean): Promise<Place> => {
    const leave = await turns.take({ projectId, ticketId, isLarge }, signal);
    try {
      return { ...(await measureVisit(em, ticketId)), [Symbol.dispose]: leave };
    } catch (error) {
      leave();
      throw error;
    }
  };
  const place = await enter(false);
  if (place.contentBytes + place.factBytes <= largeBytes) return place;
  place[Symbol.dispose]();
  return enter(true);
}
