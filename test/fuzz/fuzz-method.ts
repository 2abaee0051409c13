import { isDeepStrictEqual } from 'node:util';
import type { MethodName, Role } from '@baton/protocol';
import { readFrame } from '@baton/sdk/connection';
import fc from 'fast-check';
import { breakages, breakParams } from './break-params.ts';
import { judgeAnswer } from './judge-answer.ts';
import type { RawAnswer } from './raw-caller.ts';
import { paramsSchema } from './schema.ts';
import { validParams } from './valid-params.ts';
import type { World } from './world.ts';

/** Which cases are made. The same settings make the same cases. */
export interface FuzzSettings {
  readonly seed: number;
  /** For each method, over all levels. */
  readonly cases: number;
}

export interface FuzzTally {
  accepted: number;
  refused: number;
}

interface FuzzCase {
  readonly method: MethodName;
  readonly level: Role;
  /** With symbols in it. */
  readonly params: unknown;
}

const frameLimits = { frameDepthMax: 32, batchMax: 50 };

/**
 * Calls one method at one level, with parameters of which one thing is broken, and checks every answer against the contract
 * and the database.
 * @throws Error with the seed, the case as small as it can be made, and what was wrong
 */
export async function fuzzMethod(
  world: World,
  { method, level, seed, runs }: { method: MethodName; level: Role; seed: number; runs: number },
) {
  const tally: FuzzTally = { accepted: 0, refused: 0 };
  const schema = paramsSchema(method);
  const choice = fc.record({ breakage: fc.constantFrom(...breakages), place: fc.nat(1_000), way: fc.nat(1_000) });
  const cases = fc.tuple(validParams(method), choice).map(([valid, broken]) => breakParams(valid, schema, broken));

  await fc.assert(
    fc.asyncProperty(cases, async (params) => {
      const outcome = await tryCase(world, { method, level, params });
      tally[outcome]++;
    }),
    // Making a failing case smaller may take as many calls again; then it is as small as it is by then.
    { seed, numRuns: runs, interruptAfterTimeLimit: 40_000 + 1_000 * runs, markInterruptAsFailure: true },
  );
  return tally;
}

async function tryCase(world: World, { method, level, params: symbolic }: FuzzCase): Promise<keyof FuzzTally> {
  const params = world.resolve(symbolic);
  const [message] = readFrame(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), frameLimits).messages;
  const isFaulty = message?.type === 'refused';
  const attempt = async () => {
    const heard = await world.call(level, method, params);
    const problem = judgeAnswer({ method, level, params, isFaulty }, heard);
    if (problem !== undefined)
      throw new Error(`${problem}\n  ${level} called ${method} with ${shorten(params)}\n  and was told ${heard.text.slice(0, 1_000)}`);
    return heard.answer;
  };

  const watched = await watch(world);
  const { error } = await attempt();
  if (error === undefined) {
    watches.delete(world);
    await world.refreshAfter(method, level);
    return 'accepted';
  }
  await expectUnchanged(world, watched, attempt);
  return 'refused';
}

/** What lay in the database when nothing had been changed yet. */
interface Watch {
  number: string;
  readonly digests: Readonly<Record<string, string>>;
}

/** Holds from one refused call to the next. */
const watches = new WeakMap<World, Watch>();

async function watch(world: World): Promise<Watch> {
  const known = watches.get(world);
  if (known !== undefined) return known;
  const begun = { number: await world.stored.readTransactionNumber(), digests: await world.stored.readDigests() };
  watches.set(world, begun);
  return begun;
}

/** A gate that lets nobody through was judged, and its result stands: the refusal names it. */
const judgement = ['gate_results', 'event_streams'];

/** So many locks of earlier calls may run out, one after the other, just while a call is judged. */
const triesMax = 5;

/**
 * A refused call has changed nothing. What an earlier call has set in motion may end only now: where there is a change, the
 * call is made again when all is still. A lock runs out once; what the call itself changes it changes each time.
 */
async function expectUnchanged(world: World, watched: Watch, attempt: () => Promise<RawAnswer>): Promise<void> {
  const number = await world.stored.readTransactionNumber();
  if (number === watched.number) return;
  if (isDeepStrictEqual(await world.stored.readDigests(), watched.digests)) {
    watched.number = number;
    return;
  }
  watches.delete(world);
  let problem = '';
  for (let tries = 0; tries < triesMax; tries++) {
    const still = await untilStill(world);
    const { error } = await attempt();
    if (error === undefined) return;
    const after = await untilStill(world);
    const allowed = error.data?.['kind'] === 'gate_blocked' ? judgement : [];
    const changed = Object.keys(after).filter((table) => after[table] !== still[table] && !allowed.includes(table));
    if (changed.length === 0) return;
    problem = `A refused call has changed ${changed.join(', ')}: ${JSON.stringify(error)}`;
  }
  throw new Error(problem);
}

async function untilStill(world: World): Promise<Readonly<Record<string, string>>> {
  for (let looks = 0; looks < 50; looks++) {
    const before = await world.stored.readDigests();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const after = await world.stored.readDigests();
    if (isDeepStrictEqual(before, after)) return after;
  }
  throw new Error('The database does not come to rest.');
}

function shorten(params: unknown): string {
  const text = JSON.stringify(params) ?? 'nothing';
  return text.length > 2_000 ? `${text.slice(0, 2_000)}… (${text.length} characters)` : text;
}
