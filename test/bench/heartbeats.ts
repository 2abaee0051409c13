import { enqueueTasks, openTicket } from './harness/baton-tasks.ts';
import { defineBench } from './harness/bench.ts';
import { measureEnds } from './harness/measure-ends.ts';
import type { Place } from './harness/place.ts';
import type { RunningJob, Workers } from './harness/workers.ts';
import type beater from './workers/beater.ts';
import type { BeatOrder, Beats } from './workers/beater.ts';
import type handBeater from './workers/hand-beater.ts';
import { handSchema } from './workers/hand-schema.ts';

export default defineBench({
  summary:
    'Sessions that beat, each over its own connection and with an attempt in hand: as fast as they are answered, and at a steady pace.',
  settings: {
    sessions: { about: 'sessions', standard: 2_000, smoke: 6 },
    beats: { about: 'beats in one sample, as fast as they are answered', standard: 20_000, smoke: 30 },
    pace: { about: 'beats a second at a steady pace', standard: 400, smoke: 100 },
    paced: { about: 'beats in one sample at a steady pace', standard: 2_000, smoke: 10 },
  },
  // While the statements written by hand have their turn nobody beats.
  environment: { BATON_LEASE_MS: '600000' },
  async run({ sizes, place, workers, rates, latencies }) {
    await place.hand.query(handSchema);
    const ids = Array.from({ length: sizes.sessions }, (_, number) => `session-${number}`);
    await place.hand.query(`insert into sessions select id, clock_timestamp() from unnest($1::text[]) id on conflict do nothing`, [ids]);
    const jobs = await openSessions(place, workers, sizes.sessions);
    const byHand = (batch: number, beats: number) => beatByHand(place, workers, { ids, batch, beats });

    const oneByOne = 'SQL, an update for each, 10 connections';
    const tables = [
      await rates({ title: 'As fast as they are answered', unit: 'beats/s' }, [
        { name: `Baton`, beside: oneByOne, measure: (share) => beatFlatOut(place, jobs, sizes.beats * share) },
        { name: oneByOne, measure: (share) => byHand(1, sizes.beats * share) },
        { name: 'SQL, an update for 100, one connection', measure: (share) => byHand(100, sizes.beats * share) },
      ]),
      await latencies({ title: `${sizes.pace} beats a second`, unit: 'ms' }, [
        { name: 'Baton', measure: (share) => beatInStep(jobs, sizes.paced * share, sizes.pace) },
      ]),
    ];
    await Promise.all(jobs.map((job) => job.stop()));
    return { tables, notes: [] };
  },
});

type BeatingJob = RunningJob<BeatOrder, Beats>;

/** The processes that the sessions are spread over. */
const processes = 2;

async function openSessions(place: Place, workers: Workers, count: number): Promise<readonly BeatingJob[]> {
  const { url, token } = place;
  await enqueueTasks(place, await openTicket(place), 'bench-beat', count);
  const sessions = Math.ceil(count / processes);
  return workers.take(processes).map((worker, index) => {
    const params = { url, token, prefix: `beater-${index}`, type: 'bench-beat', sessions: Math.min(sessions, count - index * sessions) };
    return worker.start<typeof beater>('beater', params);
  });
}

function beatFlatOut(place: Place, jobs: readonly BeatingJob[], beats: number) {
  const order = { beats: Math.ceil(beats / jobs.length) };
  return measureEnds(jobs, { count: order.beats * jobs.length, order }, place.watchCoordinator);
}

async function beatInStep(jobs: readonly BeatingJob[], beats: number, pace: number): Promise<number[]> {
  const order = { beats: Math.ceil(beats / jobs.length), perSecond: pace / jobs.length };
  await Promise.all(jobs.map((job) => job.ready()));
  for (const job of jobs) job.go(order);
  const told = await Promise.all(jobs.map((job) => job.told()));
  return told.flatMap((beats) => beats?.tookMs ?? []);
}

async function beatByHand(place: Place, workers: Workers, { ids, batch, beats }: { ids: readonly string[]; batch: number; beats: number }) {
  // A process whose sessions are silent meanwhile.
  const [worker] = workers.take(1);
  const job = worker!.start<typeof handBeater>('hand-beater', {
    handUrl: place.handUrl,
    sessions: ids,
    connections: batch === 1 ? 10 : 1,
    batch,
  });
  const count = Math.ceil(beats);
  const sample = await measureEnds([job], { count, order: { beats: count } });
  await job.stop();
  return sample;
}
