import { CoordinatorError } from '@baton/protocol';

export interface TurnLimits {
  /** How many judgements may be under way at once, of one project at most half as many, of one ticket one. */
  readonly judgementsMax: number;
  /** The same for those of much evidence, which is held in memory meanwhile. */
  readonly largeJudgementsMax: number;
  /** How many may wait for a place: for each purpose a quarter, and of that for one project at most half, for one ticket an eighth. */
  readonly judgementsWaitingMax: number;
}

/** Whoever may work can ask for any number of validations and explanations: these hold up nothing that moves a ticket. */
const ranks = { workflow: 0, transition: 0, validation: 1, explanation: 2 } as const;

/** What a judgement is for. */
export type Purpose = keyof typeof ranks;

/** One judgement of the gate of a ticket. */
export interface Turn {
  readonly projectId: string;
  readonly ticketId: string;
  readonly purpose: Purpose;
  /** Its evidence is much. */
  readonly isLarge: boolean;
}

/**
 * Gives judgements their places. Projects take turns. In one, what moves a ticket goes first and explanations last, and tickets take
 * turns: many that wait for one ticket hold up no other.
 */
export interface JudgementTurns {
  /**
   * Waits for a place and resolves to what gives it back. Whoever waits holds nothing: what is judged is read when there is a place.
   * @throws CoordinatorError `overloaded` where too many wait already for the same purpose; the reason of the signal where that aborts first
   */
  take(turn: Turn, signal?: AbortSignal): Promise<() => void>;
  /** Takes a place that is free, and returns what gives it back; undefined where there is none. */
  takeFree(turn: Turn): (() => void) | undefined;
}

interface Waiting extends Turn {
  readonly enter: () => void;
}

/** A place is seldom taken for long: most judgements take a few milliseconds. */
const retryAfterMs = 1_000;

interface Bounds {
  readonly ofAll: number;
  readonly ofProject: number;
}

const boundsOf = (max: number): Bounds => ({ ofAll: Math.ceil(max), ofProject: Math.ceil(max / 2) });

/** Many tickets that move by themselves leave places to whoever calls. */
const workflowBounds: Bounds = { ofAll: 32, ofProject: 4 };

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
      mayJoin(others, turn, judgementsMax) &&
      (!turn.isLarge || mayJoin(large, turn, largeJudgementsMax))
    );
  };

  const begin = (turn: Turn) => {
    underWay.add(turn);
    return () => {
      if (underWay.delete(turn)) callNext();
    };
  };

  const isBefore = (a: Turn, b: Turn): number =>
    lastOf(a.projectId) - lastOf(b.projectId) || ranks[a.purpose] - ranks[b.purpose] || lastOf(a.ticketId) - lastOf(b.ticketId);
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
    const others = alike([...waiting], turn);
    const ofTicket = others.filter(({ ticketId }) => ticketId === turn.ticketId).length;
    const max = judgementsWaitingMax / 4;
    if (isWithin(others, turn, boundsOf(max)) && ofTicket < Math.ceil(max / 8)) return;
    const message = `${others.length} judgements of gates wait already for the same purpose (${turn.purpose}), ${ofTicket} of them for this ticket (judgementsWaitingMax is ${judgementsWaitingMax}).`;
    throw new CoordinatorError('overloaded', { retryAfterMs, ticketId: turn.ticketId, message });
  };

  const takeFree = (turn: Turn) => (isFree(turn) ? begin(turn) : undefined);

  return {
    takeFree,
    async take(turn, signal) {
      signal?.throwIfAborted();
      const free = takeFree(turn);
      if (free !== undefined) return free;
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

const alike = (others: readonly Turn[], { purpose }: Turn) => others.filter((other) => other.purpose === purpose);

/** Whether there is room for one more, and for one more of its project. */
const isWithin = (others: readonly Turn[], { projectId }: Turn, { ofAll, ofProject }: Bounds): boolean =>
  others.length < ofAll && others.filter((other) => other.projectId === projectId).length < ofProject;

/** As `isWithin`, of so many places. Explanations take a quarter of them at most. */
function mayJoin(others: readonly Turn[], turn: Turn, max: number): boolean {
  if (!isWithin(others, turn, boundsOf(max))) return false;
  if (turn.purpose === 'explanation') return isWithin(alike(others, turn), turn, boundsOf(max / 4));
  return turn.purpose !== 'workflow' || isWithin(alike(others, turn), turn, workflowBounds);
}
