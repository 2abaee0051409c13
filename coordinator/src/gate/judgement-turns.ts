import { CoordinatorError } from '@baton/protocol';

export interface TurnLimits {
  /** How many judgements may be under way at once, of one project at most half as many, of one ticket one. */
  readonly judgementsMax: number;
  /** The same for those of much evidence, which is held in memory meanwhile. */
  readonly largeJudgementsMax: number;
  /** How many may wait for a place, for one project at most half as many, for one ticket an eighth. */
  readonly judgementsWaitingMax: number;
}

/** One judgement of the gate of a ticket. */
export interface Turn {
  readonly projectId: string;
  readonly ticketId: string;
  /** Its evidence is much. */
  readonly isLarge: boolean;
}

/** Gives judgements their places. Projects take turns, and so do the tickets of one: many that wait for one ticket hold up no other. */
export interface JudgementTurns {
  /**
   * Waits for a place and resolves to what gives it back. Whoever waits holds nothing: what is judged is read when there is a place.
   * @throws CoordinatorError `overloaded` where too many wait already; the reason of the signal where that aborts first
   */
  take(turn: Turn, signal?: AbortSignal): Promise<() => void>;
}

interface Waiting extends Turn {
  readonly enter: () => void;
}

/** A place is seldom taken for long: most judgements take a few milliseconds. */
const retryAfterMs = 1_000;

export function createJudgementTurns({ judgementsMax, largeJudgementsMax, judgementsWaitingMax }: TurnLimits): JudgementTurns {
  const underWay = new Set<Turn>();
  const waiting = new Set<Waiting>();
  /** When a project, or a ticket, of those that wait was put last. */
  const putLast = new Map<string, number>();
  let puts = 0;

  const isFree = (turn: Turn): boolean => {
    const others = [...underWay];
    const large = others.filter(({ isLarge }) => isLarge);
    return (
      others.every(({ ticketId }) => ticketId !== turn.ticketId) &&
      hasRoom(others, turn, judgementsMax) &&
      (!turn.isLarge || hasRoom(large, turn, largeJudgementsMax))
    );
  };

  const begin = (turn: Turn) => {
    underWay.add(turn);
    return () => {
      if (underWay.delete(turn)) callNext();
    };
  };

  const isBefore = (a: Turn, b: Turn): number => lastOf(a.projectId) - lastOf(b.projectId) || lastOf(a.ticketId) - lastOf(b.ticketId);
  const lastOf = (id: string) => putLast.get(id) ?? 0;

  const callNext = () => {
    const [next] = [...waiting].filter(isFree).toSorted(isBefore);
    if (next === undefined) return;
    leaveLine(next);
    // Who has had a turn stands last.
    for (const id of [next.projectId, next.ticketId]) if (putLast.has(id)) putLast.set(id, ++puts);
    next.enter();
    callNext();
  };

  const leaveLine = (one: Waiting) => {
    waiting.delete(one);
    const others = [...waiting];
    if (others.every(({ projectId }) => projectId !== one.projectId)) putLast.delete(one.projectId);
    if (others.every(({ ticketId }) => ticketId !== one.ticketId)) putLast.delete(one.ticketId);
  };

  const refuseTooMany = (turn: Turn) => {
    const others = [...waiting];
    const ofTicket = others.filter(({ ticketId }) => ticketId === turn.ticketId).length;
    if (hasRoom(others, turn, judgementsWaitingMax) && ofTicket < Math.ceil(judgementsWaitingMax / 8)) return;
    const message = `${others.length} judgements of gates wait already, ${ofTicket} of them for this ticket (judgementsWaitingMax is ${judgementsWaitingMax}).`;
    throw new CoordinatorError('overloaded', { retryAfterMs, ticketId: turn.ticketId, message });
  };

  return {
    async take(turn, signal) {
      signal?.throwIfAborted();
      if (isFree(turn)) return begin(turn);
      refuseTooMany(turn);
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const one: Waiting = {
        ...turn,
        enter() {
          signal?.removeEventListener('abort', leave);
          resolve(begin(one));
        },
      };
      const leave = () => {
        leaveLine(one);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      for (const id of [turn.projectId, turn.ticketId]) if (!putLast.has(id)) putLast.set(id, ++puts);
      waiting.add(one);
      return promise;
    },
  };
}

/** Whether there is room for one more, and for one more of its project. */
const hasRoom = (others: readonly Turn[], { projectId }: Turn, max: number): boolean =>
  others.length < max && others.filter((other) => other.projectId === projectId).length < Math.ceil(max / 2);
