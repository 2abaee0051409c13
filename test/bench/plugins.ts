import { fileURLToPath } from 'node:url';
import { defineBench } from './harness/bench.ts';
import { nowMs } from './harness/clock.ts';
import type { Place } from './harness/place.ts';

/** What the validators of `attacker` do. */
const attacks = [
  { use: 'spin', does: 'spins' },
  { use: 'allocate', does: 'allocates Buffers' },
  { use: 'print', does: 'prints without end' },
  { use: 'forge', does: 'writes noise to every descriptor' },
] as const;
type Attack = (typeof attacks)[number]['use'];

export default defineBench({
  summary: 'A cheap call while the validators of two gates misbehave: what a plugin can do to those who have nothing to do with it.',
  settings: {
    calls: { about: 'calls in one sample', standard: 20_000, smoke: 10 },
    attackMs: { about: 'how long a validator goes on before its time is over', standard: 2_000, smoke: 50 },
  },
  environment: { BATON_PLUGINS: ['@baton/plugin-criteria', fileURLToPath(new URL('attacker', import.meta.url))].join(',') },
  async run({ sizes, place, latencies }) {
    const tickets = new Map<Attack, readonly string[]>();
    for (const { use } of attacks)
      tickets.set(use, [await openTicket(place, use, sizes.attackMs), await openTicket(place, use, sizes.attackMs)]);
    const count = (share: number) => Math.ceil(sizes.calls * share);
    return {
      tables: [
        await latencies({ title: 'coordinator/info while a plugin misbehaves', unit: 'ms' }, [
          { name: 'alone', measure: (share) => callBeside(place, [], count(share)) },
          ...attacks.map(({ use, does }) => ({
            name: `a plugin ${does}`,
            beside: 'alone',
            measure: (share: number) => callBeside(place, tickets.get(use) ?? [], count(share)),
          })),
        ]),
      ],
      notes: [],
    };
  },
});

/** A ticket in a phase whose gate asks this validator. */
async function openTicket({ client }: Place, use: Attack, timeoutMs: number): Promise<string> {
  const name = `bench-plugins-${use}`;
  const gate = { tasksMin: 0, validators: [{ use, timeoutMs }] };
  await client.workflow.put({
    definition: { name, phases: [{ name: 'JUDGED', gate }, { name: 'DONE' }], edges: [{ from: 'JUDGED', to: 'DONE', kind: 'forward' }] },
  });
  return (await client.ticket.create({ title: name, workflow: { name } })).id;
}

/** Calls while the gates of these tickets are judged without a pause. */
async function callBeside(place: Place, tickets: readonly string[], count: number): Promise<number[]> {
  const over = new AbortController();
  const judging = tickets.map((ticketId) => judgeUntil(place, ticketId, over.signal));
  const took: number[] = [];
  while (took.length < count) {
    const sinceMs = nowMs();
    await place.client.coordinator.info();
    took.push(nowMs() - sinceMs);
  }
  over.abort();
  await Promise.all(judging);
  return took;
}

async function judgeUntil({ client }: Place, ticketId: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await client.gate.validate({ ticketId });
    // What it does switches it off soon.
    await client.plugin.switchOn({ plugin: '@baton/bench-attacker' });
  }
}
