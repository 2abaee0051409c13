import type { Client } from 'pg';
import { advance, type Effect, effectDone, effectOf, mayWaitFor, type OpenTransaction, type Schema } from './effect.ts';
import { type Gate, type HeldStatement, idleTurns, turn } from './gate.ts';

/** One of those who act at the same time. */
export interface Side {
  readonly name: string;
  readonly gate: Gate;
  /** All that it does, from beginning to end. */
  act(): Promise<unknown>;
}

export type Outcome = PromiseSettledResult<unknown>;

/** A statement that was let go, and what came of it at once. */
export interface Step {
  readonly side: string;
  readonly text: string;
  readonly effect: Effect;
  /** It stood behind a lock of another side, and went on by itself when that was free. */
  readonly isBlocked: boolean;
  /** The statements among which it was chosen. */
  readonly choices: ReadonlyMap<string, Effect>;
  /** The step that the side had to wait for before this statement could come at all. */
  readonly after: number | undefined;
}

export interface Schedule {
  readonly steps: readonly Step[];
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** How often the database gave up a transaction because several stood in a circle. */
  readonly deadlocks: number;
}

export interface Stage {
  /** A connection that looks on. */
  readonly observer: Client;
  readonly schema: Schema;
}

export interface Play {
  readonly sides: readonly Side[];
  /** Does what a loop would do in time, where all that are left wait for a hint. */
  readonly wake?: () => Promise<void>;
}

interface Actor {
  readonly side: Side;
  held: HeldStatement | undefined;
  /** The statement that stands behind a lock. */
  waiting: { readonly statement: HeldStatement; hasEnded: boolean } | undefined;
  /** Of the statement that stands behind a lock. */
  effect: Effect | undefined;
  open: OpenTransaction | undefined;
  /** The backend of its latest statement. */
  pid: number;
  /** It waits for a hint and not for the database. */
  isIdle: boolean;
  outcome: Outcome | undefined;
  after: number | undefined;
}

/** How long a statement may take before it is asked whether it stands behind a lock. */
const answerMs = 2;
/** How long a side may take that nothing holds up. */
const giveUpMs = 60_000;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Lets sides act at the same time, one statement after the other: `choose` says whose is next. All other statements wait at
 * the gate; one that stands behind a lock stays in the database, as it would, and its side goes on when it is through.
 */
export async function runSchedule(
  { observer, schema }: Stage,
  { sides, wake }: Play,
  choose: (choices: ReadonlyMap<string, { readonly text: string; readonly effect: Effect }>) => string,
): Promise<Schedule> {
  const steps: Step[] = [];
  const actors = sides.map((side): Actor => ({
    side,
    held: undefined,
    waiting: undefined,
    effect: undefined,
    open: undefined,
    pid: 0,
    isIdle: false,
    outcome: undefined,
    after: undefined,
  }));
  let deadlocks = 0;
  for (const actor of actors) {
    actor.side.gate.close();
    void settle(actor);
    await untilQuiet(actor);
  }

  try {
    for (;;) {
      const ready = actors.filter(({ held }) => held !== undefined);
      if (ready.length === 0) {
        if (actors.every(({ outcome }) => outcome !== undefined)) break;
        if (await breakCircle(actors)) deadlocks += 1;
        else await wakeIdle(actors, wake);
        continue;
      }
      const choices = new Map(
        ready.map(({ side, held, open }) => [side.name, { text: held!.text, effect: effectOf(schema, held!.text, open) }] as const),
      );
      const chosen = choose(choices);
      const actor = ready.find(({ side }) => side.name === chosen);
      if (actor === undefined) throw new Error(`${chosen} cannot go on here.`);
      const { text, effect } = choices.get(chosen)!;
      const effects = new Map([...choices].map(([name, { effect }]) => [name, effect]));
      const step: Mutable<Step> = { side: chosen, text, effect, isBlocked: false, choices: effects, after: actor.after };
      steps.push(step);
      actor.after = undefined;
      const isBlocked = await letGo(observer, actor, { actors, step });
      step.isBlocked = isBlocked;
      if (isBlocked) refuseUnforeseen(actor, effect, actors);
      actor.effect = isBlocked ? effect : undefined;
      if (!isBlocked) await untilQuiet(actor);
      for (const other of actors) if (other !== actor) await lookAfter(observer, other, { actors, step: steps.length - 1 });
    }
  } finally {
    for (const { side } of actors) side.gate.open();
  }
  const outcomes = Object.fromEntries(actors.map(({ side, outcome }) => [side.name, outcome!]));
  return { steps, outcomes, deadlocks };
}

async function settle(actor: Actor): Promise<void> {
  const [outcome] = await Promise.allSettled([actor.side.act()]);
  // What it leaves behind, such as the next run of a loop, is no part of what it does.
  actor.side.gate.open();
  actor.outcome = outcome;
}

/** Ends when the side has come to its next statement, has ended, or waits for a hint. */
async function untilQuiet(actor: Actor): Promise<void> {
  const { side } = actor;
  actor.isIdle = false;
  const since = performance.now();
  for (let turns = 0; turns < idleTurns; turns += 1) {
    if (actor.outcome !== undefined) return;
    actor.held = side.gate.held[0];
    if (actor.held !== undefined) return;
    if (side.gate.isBusy) turns = 0;
    if (performance.now() - since > giveUpMs) throw new Error(`${side.name} does not go on.`);
    await turn();
  }
  actor.isIdle = true;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Move {
  readonly actors: readonly Actor[];
  readonly step: Mutable<Step>;
}

/** Sends the statement of a side. Answers whether it stands behind a lock of another. */
async function letGo(observer: Client, actor: Actor, { actors, step }: Move): Promise<boolean> {
  const statement = actor.held!;
  actor.held = undefined;
  actor.pid = statement.pid;
  const waiting = { statement, hasEnded: false };
  actor.waiting = waiting;
  const ended = statement.release().then((rowCount) => {
    waiting.hasEnded = true;
    // One that had to wait might have found rows before.
    if (!step.isBlocked) step.effect = effectDone(step.effect, step.text, rowCount);
    actor.open = advance(step.text, step.effect, actor.open);
  });
  await Promise.race([ended, pause(answerMs)]);
  await untilBlockedOrThrough(observer, actor, actors);
  return actor.waiting !== undefined;
}

/** What is left out rests on the effects: a wait that they do not tell of would mean that they are wrong. */
function refuseUnforeseen(actor: Actor, effect: Effect, actors: readonly Actor[]): void {
  const others = actors.filter((other) => other !== actor).flatMap(({ open, effect }) => [open ?? [], effect ?? []].flat());
  if (!others.some((other) => mayWaitFor(effect, other)))
    throw new Error(`${actor.side.name} stands behind a lock that the text of its statement does not tell of.`);
}

async function untilBlockedOrThrough(observer: Client, actor: Actor, actors: readonly Actor[]): Promise<void> {
  const { waiting } = actor;
  if (waiting === undefined) return;
  const since = performance.now();
  while (!waiting.hasEnded) {
    const { rows } = await observer.query<{ pids: number[] }>('select pg_blocking_pids($1) as pids', [waiting.statement.pid]);
    const pids = rows[0]?.pids ?? [];
    if (!waiting.hasEnded && actors.some((other) => other !== actor && pids.includes(other.pid))) return;
    if (performance.now() - since > giveUpMs) throw new Error(`A statement does not end: ${waiting.statement.text}`);
    await turn();
  }
  actor.waiting = undefined;
}

/** After a step of another side: what stood behind a lock may be through, what waited for a hint may have heard it. */
async function lookAfter(
  observer: Client,
  actor: Actor,
  { actors, step }: { readonly actors: readonly Actor[]; readonly step: number },
): Promise<void> {
  if (actor.outcome !== undefined || actor.held !== undefined) return;
  if (actor.waiting !== undefined) await untilBlockedOrThrough(observer, actor, actors);
  if (actor.waiting !== undefined) return;
  await untilQuiet(actor);
  if (!actor.isIdle) actor.after = step;
}

/** Waits until the database has broken a circle, where statements stand in one. Answers whether they did. */
async function breakCircle(actors: readonly Actor[]): Promise<boolean> {
  const blocked = actors.filter(({ waiting }) => waiting !== undefined);
  if (blocked.length === 0) return false;
  const since = performance.now();
  while (blocked.every(({ waiting }) => waiting?.hasEnded === false)) {
    if (performance.now() - since > giveUpMs) throw new Error('All stand behind locks, and the database does not break the circle.');
    await pause(answerMs);
  }
  for (const actor of blocked) {
    if (actor.waiting?.hasEnded === false) continue;
    actor.waiting = undefined;
    await untilQuiet(actor);
  }
  return true;
}

async function wakeIdle(actors: readonly Actor[], wake: Play['wake']): Promise<void> {
  const idle = actors.filter(({ outcome }) => outcome === undefined);
  await wake?.();
  for (const actor of idle) await untilQuiet(actor);
  if (idle.some(({ isIdle }) => !isIdle)) return;
  throw new Error(`${idle.map(({ side }) => side.name).join(' and ')} waits, and nobody is left to wake it.`);
}
