import type { EntityManager } from '../db/orm.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { measureVisit, type VisitSize } from './evidence.store.ts';
import { usedBy } from './gate-rules.ts';
import { findGate } from './judgeable.ts';
import type { JudgementTurns, Turn } from './judgement-turns.ts';

/** Beyond this evidence is much: it is held in memory while validators look at it, by few judgements at a time. */
const largeBytes = 1024 * 1024;

const isMuch = ({ contentBytes, factBytes }: VisitSize) => contentBytes + factBytes > largeBytes;

/** A place for a judgement, to be given back, with what is to be shown as it was when the place was taken. */
export interface Place extends VisitSize, Disposable {}

/**
 * Waits until a gate may be judged; one without validators waits for nobody. Among those that have much to be shown it waits where it
 * has much itself; where that has come to be meanwhile, the place is given back for one of these.
 * @throws CoordinatorError `overloaded`
 */
export async function takePlace(
  { em, turns }: { readonly em: EntityManager; readonly turns: JudgementTurns },
  turn: Omit<Turn, 'isLarge'>,
  signal: AbortSignal | undefined,
): Promise<Place> {
  const { projectId, ticketId } = turn;
  const gate = await findGate(em, await getTicket(em, projectId, ticketId));
  if (gate === undefined || usedBy(gate).length === 0) return { contentBytes: 0, factBytes: 0, [Symbol.dispose]: () => {} };

  const measured = await measureVisit(em, ticketId);
  let isLarge = isMuch(measured);
  const atOnce = turns.takeFree({ ...turn, isLarge });
  if (atOnce !== undefined) return { ...measured, [Symbol.dispose]: atOnce };
  for (;;) {
    const leave = await turns.take({ ...turn, isLarge }, signal);
    try {
      const size = await measureVisit(em, ticketId);
      if (isLarge || !isMuch(size)) return { ...size, [Symbol.dispose]: leave };
    } catch (error) {
      leave();
      throw error;
    }
    leave();
    isLarge = true;
  }
}
