import { areDependent, type Effect } from './effect.ts';
import { type Play, runSchedule, type Schedule, type Stage, type Step } from './schedule.ts';

/** Sides that act on one prepared state, and what has to be true whatever the order of their statements was. */
export interface Contest {
  /** Prepares the same state anew, under new names. */
  prepare(): Promise<Play & { check(schedule: Schedule): void | Promise<void> }>;
}

export interface ExploreOptions {
  /** Runs every order, also those that differ only in what cannot matter. */
  readonly isPlain?: boolean;
  /** Gives up beyond so many schedules: then not every one was seen. */
  readonly schedulesMax?: number;
}

export interface Exploration {
  /** Orders that were run to the end and checked. */
  readonly schedules: number;
  /** Orders that turned out to repeat one that had been run. */
  readonly repeated: number;
  /** Schedules in which a statement stood behind a lock of another side. */
  readonly blocked: number;
  readonly deadlocks: number;
  readonly statementsMax: number;
}

/** What failed, and the order in which it did. */
export class BadInterleaving extends Error {
  override readonly name = 'BadInterleaving';
  constructor(schedule: Pick<Schedule, 'steps'>, cause: unknown) {
    const lines = schedule.steps.map(({ side, text, isBlocked }) => `  ${side}${isBlocked ? ' (waits)' : ''}: ${shorten(text)}`);
    super(`${cause instanceof Error ? cause.message : String(cause)}\nin this order:\n${lines.join('\n')}`, { cause });
  }
}

/** A statement without the values that some are written with. */
const shorten = (text: string) =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/'[^']*'/g, '?')
    .slice(0, 150);

/** A point at which it was chosen who goes on. */
interface Node {
  readonly choices: ReadonlyMap<string, { readonly text: string; readonly effect: Effect }>;
  /** Those whose turn here would repeat an order that was run. */
  readonly asleep: ReadonlySet<string>;
  chosen: string;
  readonly done: Set<string>;
  readonly wanted: Set<string>;
}

/**
 * Runs every interleaving of the statements of some sides, depth first, each from a state prepared anew, and checks each.
 *
 * "Every" means: every order in which the database can be given the statements, one at a time, where a statement that meets
 * a lock is sent all the same, waits in the database with the snapshot it has taken, and goes on when the lock is free. Of
 * orders that differ only in neighbouring statements whose order cannot matter (see `areDependent`) one stands for all; this
 * is dynamic partial-order reduction with sleep sets, Flanagan and Godefroid, POPL 2005. With `isPlain` nothing is left out.
 * @throws BadInterleaving with the order of statements in which the check failed
 */
export async function explore(
  stage: Stage,
  contest: Contest,
  { isPlain = false, schedulesMax = Infinity }: ExploreOptions = {},
): Promise<Exploration> {
  const path: Node[] = [];
  const seen = { schedules: 0, repeated: 0, blocked: 0, deadlocks: 0, statementsMax: 0 };
  do {
    const play = await contest.prepare();
    const walk = walkAlong(path, isPlain);
    const schedule = await runSchedule(stage, play, walk.choose);
    try {
      await play.check(schedule);
    } catch (error) {
      throw new BadInterleaving(schedule, error);
    }
    if (walk.isRepetition()) seen.repeated += 1;
    else seen.schedules += 1;
    seen.blocked += schedule.steps.some(({ isBlocked }) => isBlocked) ? 1 : 0;
    seen.deadlocks += schedule.deadlocks;
    seen.statementsMax = Math.max(seen.statementsMax, schedule.steps.length);
    if (seen.schedules + seen.repeated > schedulesMax) throw new Error(`There are more than ${schedulesMax} interleavings.`);
    if (!isPlain) wantReversals(path, schedule.steps);
  } while (turnBack(path));
  return seen;
}

/** Follows the path as far as it goes, and from there on its own nose, keeping to one side while that can go on. */
function walkAlong(path: Node[], isPlain: boolean) {
  let depth = 0;
  let isRepetition = false;
  let previous: string | undefined;
  return {
    isRepetition: () => isRepetition,
    choose(choices: Node['choices']): string {
      const known = path[depth];
      if (known !== undefined) refuseOther(known, choices);
      else if (!isRepetition) {
        const node = openNode(isPlain ? undefined : path.at(-1), choices, previous);
        if (node === undefined) isRepetition = true;
        else {
          if (isPlain) for (const side of choices.keys()) node.wanted.add(side);
          path.push(node);
        }
      }
      const chosen = path[depth]?.chosen ?? [...choices.keys()][0]!;
      depth += 1;
      previous = chosen;
      return chosen;
    },
  };
}

function openNode(parent: Node | undefined, choices: Node['choices'], previous: string | undefined): Node | undefined {
  const asleep = new Set([...sleepersAfter(parent)].filter((side) => choices.has(side)));
  const awake = [...choices.keys()].filter((side) => !asleep.has(side));
  const chosen = awake.find((side) => side === previous) ?? awake[0];
  return chosen === undefined ? undefined : { choices, asleep, chosen, done: new Set(), wanted: new Set([chosen]) };
}

/** Who was tried before at the parent stays asleep until something is done that his statement depends on. */
function sleepersAfter(parent: Node | undefined): string[] {
  const taken = parent?.choices.get(parent.chosen);
  if (parent === undefined || taken === undefined) return [];
  return [...parent.asleep, ...parent.done].filter((side) => {
    const pending = parent.choices.get(side);
    return side !== parent.chosen && pending !== undefined && !areDependent(pending.effect, taken.effect);
  });
}

function refuseOther(known: Node, choices: Node['choices']): void {
  const tell = (each: Node['choices']) => [...each].map(([side, { text }]) => `${side}: ${shorten(text)}`).join(' | ');
  if (tell(known.choices) !== tell(choices))
    throw new Error(
      `The same order led elsewhere: ${tell(choices)} instead of ${tell(known.choices)}. The sides depend on more than the order.`,
    );
}

/** Goes back to the last point at which another choice is to be tried. */
function turnBack(path: Node[]): boolean {
  for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
    const { done, wanted, asleep } = node;
    done.add(node.chosen);
    const next = [...wanted].find((side) => !done.has(side) && !asleep.has(side));
    if (next !== undefined) {
      node.chosen = next;
      return true;
    }
    path.pop();
  }
  return false;
}

/** Notes, at every step that a later one of another side might as well have come before, that it is to be tried. */
function wantReversals(path: readonly Node[], steps: readonly Step[]): void {
  const before = happensBefore(steps);
  for (const [later, step] of steps.entries()) {
    const own = steps.findLastIndex(({ side }, index) => index < later && side === step.side);
    for (let earlier = later - 1; earlier >= 0; earlier -= 1) {
      const other = steps[earlier]!;
      const node = path[earlier];
      if (node === undefined || other.side === step.side || !areDependent(other.effect, step.effect)) continue;
      // Its own side had to wait for the other before it came to this statement: no race.
      if (own > earlier && before[own]!.has(earlier)) continue;
      if (step.after !== undefined && (step.after === earlier || before[step.after]!.has(earlier))) continue;
      if (node.choices.has(step.side)) node.wanted.add(step.side);
      else for (const side of node.choices.keys()) node.wanted.add(side);
    }
  }
}

/** For each step the earlier ones that it could not have come before. */
function happensBefore(steps: readonly Step[]): Set<number>[] {
  const before: Set<number>[] = [];
  for (const [later, step] of steps.entries()) {
    const own = new Set<number>();
    for (let earlier = 0; earlier < later; earlier += 1) {
      const other = steps[earlier]!;
      if (other.side !== step.side && earlier !== step.after && !areDependent(other.effect, step.effect)) continue;
      own.add(earlier);
      for (const each of before[earlier]!) own.add(each);
    }
    before.push(own);
  }
  return before;
}
