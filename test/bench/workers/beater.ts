import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { nowMs } from '../harness/clock.ts';
import type { Job } from '../harness/job.ts';
import type { Ends } from '../harness/measure-ends.ts';
import { type Door, openRawClient, type RawClient } from './raw-client.ts';

export interface BeaterParams extends Door {
  readonly prefix: string;
  readonly sessions: number;
  /** The type of the task that each of them holds. */
  readonly type: string;
}

export interface BeatOrder {
  readonly beats: number;
  /** So many a second, whether they are answered or not; without it each session beats again as soon as it is answered. */
  readonly perSecond?: number;
}

/** How long each beat took, in ms. */
export interface Beats extends Ends {
  readonly tookMs: readonly number[];
}

interface Beater {
  readonly client: RawClient;
  readonly attempts: readonly { readonly taskId: string; readonly attempt: number }[];
}

/** As many connections are opened at a time. */
const openedAtOnce = 20;

/** Many sessions, each with a connection and an attempt of its own, that beat when they are told to. */
const job: Job<BeaterParams, BeatOrder, Beats> = async ({ sessions, ...rest }, { begin, tell, signal }) => {
  const beaters: Beater[] = [];
  for (let from = 0; from < sessions; from += openedAtOnce) {
    const numbers = Array.from({ length: Math.min(openedAtOnce, sessions - from) }, (_, index) => from + index);
    beaters.push(...(await Promise.all(numbers.map((number) => openBeater(rest, number)))));
  }
  while (!signal.aborted) {
    const order = await begin().catch(() => undefined);
    if (order === undefined) break;
    const tookMs =
      order.perSecond === undefined ? await beatFlatOut(beaters, order.beats) : await beatInStep(beaters, order.beats, order.perSecond);
    tell({ count: tookMs.length, atMs: nowMs(), tookMs });
  }
  await Promise.all(beaters.map(({ client }) => client.call('agent/deregister', {}).then(client.close)));
};
export default job;

async function openBeater({ prefix, type, ...door }: Omit<BeaterParams, 'sessions'>, number: number): Promise<Beater> {
  const client = await openRawClient(door);
  await client.call('agent/register', { name: `${prefix}-${number}`, capabilities: [type] });
  const { claims } = await client.call<{ claims: Beater['attempts'] }>('task/claim', { max: 1, waitMs: 10_000 });
  return { client, attempts: claims.map(({ taskId, attempt }) => ({ taskId, attempt })) };
}

async function beat({ client, attempts }: Beater): Promise<number> {
  const since = nowMs();
  const { revoked } = await client.call<{ revoked: readonly unknown[] }>('agent/heartbeat', { attempts });
  if (revoked.length > 0) throw new Error('The attempt of a session that beats was taken away.');
  return nowMs() - since;
}

async function beatFlatOut(beaters: readonly Beater[], beats: number): Promise<number[]> {
  const tookMs: number[] = [];
  let begun = 0;
  const goOn = async (beater: Beater) => {
    while (begun < beats) {
      begun += 1;
      tookMs.push(await beat(beater));
    }
  };
  await Promise.all(beaters.map(goOn));
  return tookMs;
}

async function beatInStep(beaters: readonly Beater[], beats: number, perSecond: number): Promise<number[]> {
  const since = nowMs();
  const under: Promise<number>[] = [];
  while (under.length < beats) {
    const due = Math.min(beats, Math.ceil(((nowMs() - since) * perSecond) / 1_000));
    while (under.length < due) under.push(beat(beaters[under.length % beaters.length]!));
    await (under.length < beats ? pause(1) : nextTurn());
  }
  return Promise.all(under);
}
