import { defineBench } from './harness/bench.ts';
import { nowMs } from './harness/clock.ts';
import type { Place } from './harness/place.ts';

export default defineBench({
  summary:
    'A gate judged again and again by validators that look at one field: what Baton itself takes for a verdict, once the threads are warm.',
  settings: {
    artifacts: { about: 'artifacts of the visit, each of about half a kilobyte', standard: 1_000, smoke: 5 },
    validators: { about: 'validators of the gate', standard: 10, smoke: 2 },
    gates: { about: 'judgements in one sample', standard: 40, smoke: 2 },
  },
  async run({ sizes, place, latencies }) {
    const { artifacts, validators } = sizes;
    const loaded = await openTicket(place, { artifacts, validators });
    const bare = await openTicket(place, { artifacts, validators: 0 });
    const count = (share: number) => Math.ceil(sizes.gates * share);
    return {
      tables: [
        await latencies({ title: `gate/validate with ${artifacts} artifacts`, unit: 'ms' }, [
          {
            name: `${validators} validators, by verdict`,
            measure: (share) => judge(place, loaded, { count: count(share), verdicts: validators }),
          },
          { name: `${validators} validators`, measure: (share) => judge(place, loaded, { count: count(share), verdicts: 1 }) },
          { name: 'no validator', measure: (share) => judge(place, bare, { count: count(share), verdicts: 1 }) },
        ]),
        await latencies({ title: 'A cheap call meanwhile', unit: 'ms' }, [
          {
            name: 'coordinator/info, gates are judged',
            beside: 'coordinator/info, alone',
            measure: (share) => callBeside(place, loaded, count(share)),
          },
          { name: 'coordinator/info, alone', measure: (share) => callBeside(place, undefined, count(share)) },
        ]),
      ],
      notes: [],
    };
  },
});

interface Load {
  readonly artifacts: number;
  readonly validators: number;
}

/** A ticket in a phase with so much evidence, and a gate with so many validators that have next to nothing to do. */
async function openTicket({ client }: Place, { artifacts, validators }: Load): Promise<string> {
  const name = `bench-gate-${artifacts}-${validators}`;
  const criterion = { artifact: 'page', path: 'number', op: '>=' as const, value: 0 };
  const gate = {
    tasksMin: 0,
    validators: Array.from({ length: validators }, () => ({ use: 'criteria', config: { criteria: [criterion] } })),
  };
  await client.workflow.put({
    definition: { name, phases: [{ name: 'JUDGED', gate }, { name: 'DONE' }], edges: [{ from: 'JUDGED', to: 'DONE', kind: 'forward' }] },
  });
  const { id: ticketId } = await client.ticket.create({ title: name, workflow: { name } });
  const text = 'x'.repeat(160);
  for (let done = 0; done < artifacts; done += together) {
    const numbers = Array.from({ length: Math.min(together, artifacts - done) }, (_, index) => done + index);
    await Promise.all(
      numbers.map((number) =>
        client.artifact.put({ ticketId, artifact: { type: 'page', name: `page-${number}`, content: { number, text } } }),
      ),
    );
  }
  return ticketId;
}

/** Fewer than may be in flight on one connection. */
const together = 32;

/** How long each verdict took: the whole judgement, and its share for each of the verdicts. */
async function judge({ client }: Place, ticketId: string, { count, verdicts }: { count: number; verdicts: number }): Promise<number[]> {
  const took: number[] = [];
  while (took.length < count) {
    const sinceMs = nowMs();
    const { outcome } = await client.gate.validate({ ticketId });
    if (outcome !== 'passed') throw new Error('The gate of the bench has not passed.');
    took.push((nowMs() - sinceMs) / verdicts);
  }
  return took;
}

/** Calls while the gate of a ticket is judged without a pause, or while nothing else happens. */
async function callBeside(place: Place, ticketId: string | undefined, count: number): Promise<number[]> {
  const over = new AbortController();
  const judging = ticketId === undefined ? undefined : judgeUntil(place, ticketId, over.signal);
  const took: number[] = [];
  while (took.length < count * callsEach) {
    const sinceMs = nowMs();
    await place.client.coordinator.info();
    took.push(nowMs() - sinceMs);
  }
  over.abort();
  await judging;
  return took;
}

/** Calls for each judgement of a sample: there are enough of them for a 99th percentile. */
const callsEach = 20;

async function judgeUntil({ client }: Place, ticketId: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await client.gate.validate({ ticketId });
}
