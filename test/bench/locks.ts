import { defineBench } from './harness/bench.ts';
import { type Ends, measureEnds } from './harness/measure-ends.ts';
import type { Place } from './harness/place.ts';
import type { RateVariant } from './harness/report.ts';
import type { RunningJob, Workers } from './harness/workers.ts';
import type handLocker from './workers/hand-locker.ts';
import type { HandLockerParams } from './workers/hand-locker.ts';
import { handSchema } from './workers/hand-schema.ts';
import type lockClient from './workers/lock-client.ts';

export default defineBench({
  summary: 'Locks taken and given back: one client, many with a key each, and many that want the same.',
  settings: {
    pairs: { about: 'pairs of acquire and release in all', standard: 2_000, smoke: 20 },
    clients: { about: 'clients beside the lone one', standard: 8, smoke: 2 },
  },
  async run({ sizes, place, workers, rates }) {
    await place.hand.query(handSchema);
    const situations: readonly Situation[] = [
      { name: 'one client', clients: 1, keyOf: () => 'bench:one' },
      { name: `${sizes.clients} clients, a key each`, clients: sizes.clients, keyOf: (client) => `bench:${client}` },
      { name: `${sizes.clients} clients, one key`, clients: sizes.clients, keyOf: () => 'bench:one' },
    ];
    const pairsOf = ({ clients }: Situation, share: number) => Math.ceil((sizes.pairs * share) / clients);

    const variants = situations.flatMap((situation): RateVariant[] => [
      {
        name: `Baton, ${situation.name}`,
        beside: `SQL, table of locks, ${situation.name}`,
        measure: (share) => withBaton(place, workers, situation, pairsOf(situation, share)),
      },
      ...(['table', 'advisory'] as const).map((kind): RateVariant => ({
        name: `SQL, ${kind === 'table' ? 'table of locks' : 'pg_advisory_lock'}, ${situation.name}`,
        measure: (share) => byHand(place, workers, situation, { kind, pairs: pairsOf(situation, share) }),
      })),
    ]);
    return { tables: [await rates({ title: 'Acquired and released', unit: 'pairs/s' }, variants)], notes: [] };
  },
});

interface Situation {
  readonly name: string;
  readonly clients: number;
  readonly keyOf: (client: number) => string;
}

function withBaton(place: Place, workers: Workers, { clients, keyOf }: Situation, pairs: number) {
  const { url, tokenFile } = place;
  const jobs = workers.take(clients).map((worker, index) => {
    const params = { url, tokenFile, name: `locker-${index}`, key: keyOf(index), pairs };
    return worker.start<typeof lockClient>('lock-client', params);
  });
  return measure(jobs, clients * pairs, place.watchCoordinator);
}

function byHand(place: Place, workers: Workers, { clients, keyOf }: Situation, rest: Pick<HandLockerParams, 'kind' | 'pairs'>) {
  const jobs = workers.take(clients).map((worker, index) => {
    const params = { handUrl: place.handUrl, name: `locker-${index}`, key: keyOf(index), ...rest };
    return worker.start<typeof handLocker>('hand-locker', params);
  });
  return measure(jobs, clients * rest.pairs);
}

async function measure(jobs: readonly RunningJob<void, Ends>[], count: number, watch?: Place['watchCoordinator']) {
  const sample = await measureEnds(jobs, { count, order: undefined }, watch);
  await Promise.all(jobs.map((job) => job.stop()));
  return sample;
}
