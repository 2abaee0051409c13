import { setTimeout as pause } from 'node:timers/promises';
import { openTicket } from './harness/baton-tasks.ts';
import { defineBench } from './harness/bench.ts';
import { nowMs } from './harness/clock.ts';
import type { Ends } from './harness/measure-ends.ts';
import type { Place } from './harness/place.ts';
import type { RunningJob, Workers } from './harness/workers.ts';
import type handListener from './workers/hand-listener.ts';
import { handSchema, run } from './workers/hand-schema.ts';
import type rawClaimer from './workers/raw-claimer.ts';
import type sdkAgent from './workers/sdk-agent.ts';

export default defineBench({
  summary: 'An idle coordinator and one waiting agent: from the call of task/submit until the task is begun.',
  settings: { submissions: { about: 'tasks, submitted one at a time', standard: 500, smoke: 5 } },
  async run({ sizes, place, workers, latencies }) {
    await place.hand.query(handSchema);
    const parts = { place, workers };
    const beside = 'SQL, insert and NOTIFY to claimed';
    const count = (share: number) => Math.ceil(sizes.submissions * share);
    return {
      tables: [
        await latencies({ title: 'From enqueue to handler', unit: 'ms' }, [
          { name: 'Baton, agent of the SDK, inline task', beside, measure: (share) => toAgent(parts, 'bench-inline', count(share)) },
          { name: 'Baton, agent of the SDK, task in a thread', beside, measure: (share) => toAgent(parts, 'bench-threaded', count(share)) },
          { name: 'Baton, claimer without SDK', beside, measure: (share) => toClaimer(parts, count(share)) },
          { name: beside, measure: (share) => toListener(parts, count(share)) },
        ]),
      ],
      notes: [],
    };
  },
});

interface Parts {
  readonly place: Place;
  readonly workers: Workers;
}

/** Long enough that the agent waits again, and never the same, so that nothing falls into step. */
const restMs = () => 5 + Math.random() * 10;

function toAgent({ place, workers }: Parts, type: string, count: number): Promise<number[]> {
  const [worker] = workers.take(1);
  const { url, tokenFile } = place;
  const job = worker!.start<typeof sdkAgent>('sdk-agent', { url, tokenFile, name: 'latency', capacity: 1 });
  return throughBaton(place, job, { type, count });
}

function toClaimer({ place, workers }: Parts, count: number): Promise<number[]> {
  const [worker] = workers.take(1);
  const { url, token } = place;
  const job = worker!.start<typeof rawClaimer>('raw-claimer', { url, token, name: 'claimer', type: 'bench-raw', claimMax: 1 });
  return throughBaton(place, job, { type: 'bench-raw', count });
}

async function throughBaton(
  place: Place,
  job: RunningJob<void, Ends>,
  { type, count }: { type: string; count: number },
): Promise<number[]> {
  const ticketId = await openTicket(place);
  await job.ready();
  job.go();
  const submitted: { readonly taskId: string; readonly sinceMs: number }[] = [];
  // The first waits for the agent to be there, and is not counted.
  for (let task = 0; task <= count; task += 1) {
    await pause(restMs());
    const sinceMs = nowMs();
    const { tasks } = await place.client.task.submit({ ticketId, tasks: [{ type }] });
    if (task > 0) submitted.push({ taskId: tasks[0]!.id, sinceMs });
    await job.told();
  }
  await job.stop();
  return Promise.all(
    submitted.map(async ({ taskId, sinceMs }) => {
      const { output } = await place.client.task.get({ taskId });
      return (output as { enteredAt: number }).enteredAt - sinceMs;
    }),
  );
}

async function toListener({ place, workers }: Parts, count: number): Promise<number[]> {
  const [worker] = workers.take(1);
  const job = worker!.start<typeof handListener>('hand-listener', { handUrl: place.handUrl });
  await job.ready();
  job.go();
  const took: number[] = [];
  for (let task = 0; task < count; task += 1) {
    await pause(restMs());
    const sinceMs = nowMs();
    await run(place.hand, 'enqueueAndNotify');
    const told = await job.told();
    if (told === undefined) throw new Error('The listener has ended.');
    took.push(told.enteredAt - sinceMs);
  }
  await job.stop();
  return took;
}
