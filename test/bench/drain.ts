import { enqueueTasks, openTicket } from './harness/baton-tasks.ts';
import { defineBench } from './harness/bench.ts';
import { nowMs } from './harness/clock.ts';
import { type Ends, measureEnds } from './harness/measure-ends.ts';
import type { Place } from './harness/place.ts';
import type { RateVariant } from './harness/report.ts';
import type { RunningJob, Workers } from './harness/workers.ts';
import type handClaimer from './workers/hand-claimer.ts';
import { handSchema, run } from './workers/hand-schema.ts';
import type rawClaimer from './workers/raw-claimer.ts';
import type sdkAgent from './workers/sdk-agent.ts';

export default defineBench({
  summary: 'Tasks that do nothing, enqueued in bulk: from the start of the agents until the last is completed.',
  settings: {
    tasks: { about: 'tasks in the queue', standard: 10_000, smoke: 40 },
    agents: { about: 'agents beside the lone one', standard: 10, smoke: 2 },
    slots: { about: 'tasks that an agent of the SDK runs at once', standard: 10, smoke: 3 },
    claimMax: { about: 'tasks that a claimer without the SDK asks for at once', standard: 50, smoke: 5 },
  },
  async run({ sizes, place, workers, rates }) {
    await place.hand.query(handSchema);
    const counts = [1, sizes.agents];
    const drain = { place, workers, ...sizes };
    const people = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
    const hand = (count: number, batch: number) => `SQL, ${people(count, 'worker')}, ${batch === 1 ? 'one by one' : `batches of ${batch}`}`;

    return {
      tables: [
        await rates({ title: 'Enqueued in one call', unit: 'tasks/s' }, [
          { name: 'Baton, task/submit', beside: 'SQL, one insert', measure: (share) => enqueueInBaton(drain, share) },
          { name: 'SQL, one insert', measure: (share) => enqueueByHand(drain, share) },
        ]),
        await rates({ title: 'Claimed and completed', unit: 'tasks/s' }, [
          ...counts.map((count): RateVariant => {
            const beside = hand(count, 1);
            return { name: `Baton, ${people(count, 'agent')} of the SDK`, beside, measure: (share) => drainByAgents(drain, count, share) };
          }),
          ...counts.map((count): RateVariant => {
            const beside = hand(count, 10);
            return {
              name: `Baton, ${people(count, 'claimer')} without SDK`,
              beside,
              measure: (share) => drainByClaimers(drain, count, share),
            };
          }),
          ...counts.flatMap((count) =>
            [1, 10, 100].map((batch): RateVariant => ({
              name: hand(count, batch),
              measure: (share) => drainByHand(drain, { count, batch, share }),
            })),
          ),
        ]),
      ],
      notes: [],
    };
  },
});

interface Drain {
  readonly place: Place;
  readonly workers: Workers;
  readonly tasks: number;
  readonly slots: number;
  readonly claimMax: number;
}

async function enqueueInBaton({ place, tasks }: Drain, share: number) {
  const count = Math.ceil(tasks * share);
  const ticketId = await openTicket(place);
  const coresSince = place.watchCoordinator();
  const sinceMs = nowMs();
  await enqueueTasks(place, ticketId, 'bench-nobody', count);
  return { perSecond: (count * 1_000) / (nowMs() - sinceMs), coordinatorCores: coresSince() };
}

async function enqueueByHand({ place, tasks }: Drain, share: number) {
  const count = Math.ceil(tasks * share);
  await place.hand.query('truncate tasks');
  const sinceMs = nowMs();
  await run(place.hand, 'enqueue', [JSON.stringify(Array.from({ length: count }, () => ({ type: 'bench' })))]);
  return { perSecond: (count * 1_000) / (nowMs() - sinceMs) };
}

async function drainInBaton({ place, tasks }: Drain, type: string, share: number, jobs: readonly RunningJob<void, Ends>[]) {
  const count = Math.ceil(tasks * share);
  await enqueueTasks(place, await openTicket(place), type, count);
  const sample = await measureEnds(jobs, { count, order: undefined }, place.watchCoordinator);
  await Promise.all(jobs.map((job) => job.stop()));
  return sample;
}

function drainByAgents(drain: Drain, count: number, share: number) {
  const { url, tokenFile } = drain.place;
  const jobs = drain.workers.take(count).map((worker, index) => {
    const params = { url, tokenFile, name: `agent-${index}`, capacity: drain.slots };
    return worker.start<typeof sdkAgent>('sdk-agent', params);
  });
  return drainInBaton(drain, 'bench-inline', share, jobs);
}

function drainByClaimers(drain: Drain, count: number, share: number) {
  const { url, token } = drain.place;
  const jobs = drain.workers.take(count).map((worker, index) => {
    const params = { url, token, name: `claimer-${index}`, type: 'bench-raw', claimMax: drain.claimMax };
    return worker.start<typeof rawClaimer>('raw-claimer', params);
  });
  return drainInBaton(drain, 'bench-raw', share, jobs);
}

async function drainByHand(drain: Drain, { count, batch, share }: { count: number; batch: number; share: number }) {
  await enqueueByHand(drain, share);
  const jobs = drain.workers.take(count).map((worker, index) => {
    const params = { handUrl: drain.place.handUrl, name: `worker-${index}`, batch };
    return worker.start<typeof handClaimer>('hand-claimer', params);
  });
  const sample = await measureEnds(jobs, { count: Math.ceil(drain.tasks * share), order: undefined });
  await Promise.all(jobs.map((job) => job.stop()));
  return sample;
}
