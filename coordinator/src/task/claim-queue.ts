import { CoordinatorError } from '@baton/protocol';
import { type Database, transact } from '../db/transaction.ts';
import type { BackoffLimits } from './backoff.ts';
import { failTasks } from './complete.service.ts';
import type { ClaimedTask, ClaimRequest } from './hand-out.ts';
import { matchTasks } from './match.service.ts';
import { withdrawKeys } from './match.store.ts';
import { createTurns, type Turns } from './turns.ts';

export interface ClaimQueueLimits extends BackoffLimits {
  readonly claimBatchMax: number;
  readonly claimsParkedMax: number;
  /** How many matching transactions run at a time, of all projects together. */
  readonly matchRoundsMax: number;
  readonly pollMs: number;
}

export interface ClaimCall extends ClaimRequest {
  readonly projectId: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Where claims wait for work. One matching transaction of a project at a time serves all that wait; projects take turns with
 * theirs, so that one with many agents keeps no other from the database.
 */
export interface ClaimQueue {
  /** Tasks for the session, at most `max`; none when `waitMs` has passed or the signal aborts. */
  claim(call: ClaimCall): Promise<readonly ClaimedTask[]>;
  /** Answers all that wait with nothing, and every later claim with `draining`. */
  drain(): void;
  stop(): Promise<void>;
  /** The claims that wait for work. */
  readonly parked: number;
  /** The sessions that wait for work. */
  listWaitingSessions(): string[];
}

interface Parked {
  readonly call: ClaimCall;
  /** Its time is over: whoever looks next answers it with nothing. Only its own timer says so, since two clocks may disagree. */
  isOver: boolean;
  /** Answers the call. False where it has been answered, or has gone. */
  settle(result: readonly ClaimedTask[] | CoordinatorError): boolean;
}

interface Serving {
  readonly db: Database;
  readonly limits: ClaimQueueLimits;
  readonly turns: Turns;
  readonly projectId: string;
}

interface Line {
  readonly parked: Set<Parked>;
  /** The round under way, and whether another must follow it. */
  round: Promise<void> | undefined;
  again: boolean;
}

export function createClaimQueue(db: Database, limits: ClaimQueueLimits): ClaimQueue {
  const lines = new Map<string, Line>();
  const turns = createTurns(limits.matchRoundsMax);
  let draining = false;

  const lineOf = (projectId: string): Line => {
    const line = lines.get(projectId) ?? { parked: new Set<Parked>(), round: undefined, again: false };
    lines.set(projectId, line);
    return line;
  };

  const trigger = (projectId: string): void => {
    const line = lines.get(projectId);
    if (line === undefined || line.parked.size === 0) return;
    line.again = true;
    line.round ??= runRounds(projectId, line);
  };

  const runRounds = async (projectId: string, line: Line): Promise<void> => {
    while (line.again && line.parked.size > 0) {
      line.again = false;
      const waiting = [...line.parked];
      for (let from = 0; from < waiting.length; from += limits.claimBatchMax) {
        // Some may have left while those before them were served.
        const batch = waiting.slice(from, from + limits.claimBatchMax).filter((each) => line.parked.has(each));
        await serveAll({ db, limits, turns, projectId }, batch, line);
      }
    }
    line.round = undefined;
    for (const parked of line.parked) if (parked.isOver) parked.settle([]);
  };

  const offChanges = db.changes.onChange(({ projectId, tasks }) => {
    if (tasks === true) trigger(projectId);
  });
  // Behind the hints: a back-off that has passed, a hint that was lost.
  const poll = setInterval(() => [...lines.keys()].forEach(trigger), limits.pollMs);

  const parkedCount = () => [...lines.values()].reduce((sum, { parked }) => sum + parked.size, 0);

  return {
    get parked() {
      return parkedCount();
    },
    claim(call) {
      if (draining) throw new CoordinatorError('draining', { retryAfterMs: 1_000 });
      if (call.signal.aborted) throw new CoordinatorError('cancelled');
      if (parkedCount() >= limits.claimsParkedMax) throw new CoordinatorError('overloaded', { retryAfterMs: 1_000 });
      return new Promise((resolve, reject) => {
        const line = lineOf(call.projectId);
        const parked = park(line, call, { resolve, reject });
        line.parked.add(parked);
        trigger(call.projectId);
      });
    },
    listWaitingSessions: () => [...lines.values()].flatMap(({ parked }) => [...parked].map(({ call }) => call.sessionId)),
    drain() {
      draining = true;
      for (const { parked } of lines.values()) for (const each of parked) each.settle([]);
    },
    async stop() {
      this.drain();
      clearInterval(poll);
      offChanges();
      await Promise.all([...lines.values()].flatMap(({ round }) => round ?? []));
    },
  };
}

interface Settle {
  readonly resolve: (tasks: readonly ClaimedTask[]) => void;
  readonly reject: (error: unknown) => void;
}

function park(line: Line, call: ClaimCall, { resolve, reject }: Settle): Parked {
  const expire = () => {
    parked.isOver = true;
    // A round under way may be giving it work: it answers when it ends.
    if (line.round === undefined) parked.settle([]);
  };
  const timer = setTimeout(expire, call.waitMs);
  const leave = () => parked.settle(new CoordinatorError('cancelled'));
  const parked: Parked = {
    call,
    // With no wait the first look is the last.
    isOver: call.waitMs === 0,
    settle(result) {
      if (!line.parked.delete(parked)) return false;
      clearTimeout(timer);
      call.signal.removeEventListener('abort', leave);
      if (result instanceof CoordinatorError) reject(result);
      else resolve(result);
      return true;
    },
  };
  call.signal.addEventListener('abort', leave, { once: true });
  return parked;
}

/** In how many rounds one call looks past tasks that wait for locks. */
const looksMax = 50;

async function serveAll(serving: Serving, batch: readonly Parked[], line: Line): Promise<void> {
  const { turns, projectId } = serving;
  let waiting = batch;
  for (let looksLeft = looksMax; waiting.length > 0 && looksLeft > 0; looksLeft -= 1) {
    const served = waiting;
    const isWorthAnotherLook = await turns.run(projectId, () => serve({ ...serving, mayLookAgain: looksLeft > 1 }, served));
    if (!isWorthAnotherLook) return;
    waiting = waiting.filter((each) => line.parked.has(each));
  }
}

/** Matches those that wait once. Answers whether another look may find more; none that got nothing is sent away before that. */
async function serve(
  { db, limits, projectId, mayLookAgain }: Serving & { mayLookAgain: boolean },
  waiting: readonly Parked[],
): Promise<boolean> {
  try {
    const matching = await transact(db, projectId, (tx) =>
      matchTasks(
        tx,
        limits,
        waiting.map(({ call }) => call),
      ),
    );
    const willLookAgain = matching.isWorthAnotherLook && mayLookAgain;
    const delivered = new Set<ClaimedTask>();
    for (const [index, parked] of waiting.entries()) {
      const answer = matching.answers[index];
      if (answer === undefined) parked.settle(new CoordinatorError('session_unknown'));
      else if (answer.length > 0 && parked.settle(answer)) for (const task of answer) delivered.add(task);
      else if (parked.isOver && !willLookAgain) parked.settle(answer);
    }
    const unwanted = matching.fresh.filter((task) => !delivered.has(task));
    await giveBack(db, limits, projectId, unwanted);
    return willLookAgain;
  } catch (error) {
    const told = error instanceof CoordinatorError ? error : new CoordinatorError('internal', {}, { cause: error });
    for (const parked of waiting) parked.settle(told);
    return false;
  }
}

/**
 * Work that was matched to a call which had gone meanwhile is handed out again; the attempt was none. Unless the call was sent
 * again, to whichever coordinator, and answered with it: then the agent has it.
 */
async function giveBack(db: Database, limits: BackoffLimits, projectId: string, tasks: readonly ClaimedTask[]): Promise<void> {
  if (tasks.length === 0) return;
  const unwanted = await withdrawKeys(
    db.em.fork(),
    tasks.map(({ id, attempt }) => ({ taskId: id, attempt })),
  );
  if (unwanted.length === 0) return;
  const error = { code: 'released', message: 'The call that asked for work was gone when it was found.' };
  const failures = unwanted.map((attempt) => ({ ...attempt, outcome: 'released' as const, error, permanent: false, context: [] }));
  await transact(db, projectId, (tx) => failTasks(tx, { limits }, failures));
}
