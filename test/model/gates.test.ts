import { isDeepStrictEqual } from 'node:util';
import type { Client, EdgeKind, Ticket } from '@baton/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf } from '../support/work.ts';
import { readModelSettings } from './settings.ts';

const { runs, timeoutMs, ...settings } = readModelSettings();
let daemon: Daemon;
/** Who may not force anything. */
let operator: Client;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql' });
  operator = (await daemon.connectAs('operator')).client;
});
afterAll(() => daemon.stop());

const phases = ['P0', 'P1', 'P2', 'P3', 'P4'];
const stuck = 'STUCK';
const phase = fc.constantFrom(...phases);

/** A way through all phases, a block and an unblock for some, and whatever other edges there may be. */
const shape = fc.record({
  gated: fc.subarray(phases.slice(0, -1), { minLength: 1 }),
  more: fc.uniqueArray(
    fc.record({ from: fc.constantFrom(...phases.slice(0, -1)), to: phase, kind: fc.constantFrom<EdgeKind[]>('forward', 'regression') }),
    { selector: ({ from, to }) => `${from} ${to}`, maxLength: 6 },
  ),
  unblocksTo: fc.subarray(phases),
});
type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;

const step = fc.oneof({ weight: 1, arbitrary: fc.constant('prove' as const) }, { weight: 4, arbitrary: fc.constantFrom(...phases, stuck) });

async function openTicket({ gated, more, unblocksTo }: Shape): Promise<string> {
  const name = `ways ${crypto.randomUUID()}`;
  const line = phases.slice(1).map((to, index) => ({ from: phases[index]!, to, kind: 'forward' as const }));
  const onLine = ({ from, to }: Shape['more'][number]) => from === to || line.some((edge) => edge.from === from && edge.to === to);
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [
        ...phases.map((each) => ({ name: each, ...(gated.includes(each) && { gate: { tasksMin: 0, artifacts: ['proof'] } }) })),
        { name: stuck },
      ],
      edges: [
        ...line,
        ...more.filter((edge) => !onLine(edge)),
        ...phases.slice(0, -1).map((from) => ({ from, to: stuck, kind: 'block' as const })),
        ...unblocksTo.map((to) => ({ from: stuck, to, kind: 'unblock' as const })),
      ],
      blockedPhase: stuck,
    },
  });
  return (await operator.ticket.create({ title: 'On its way', workflow: { name } })).id;
}

/** Where the ticket is in the line: a blocked one is where it was blocked. */
const placeOf = ({ phase: at, previousPhase }: Ticket): number => phases.indexOf(at === stuck ? (previousPhase ?? '') : at);

test(
  'however a ticket is moved, it leaves no gate behind but by passing it, or by a forward edge that leads by',
  () =>
    fc.assert(
      fc.asyncProperty(shape, fc.array(step, { minLength: 5, maxLength: 25 }), async (given, steps) => {
        const ticketId = await openTicket(given);
        let isProved = false;
        for (const each of steps) {
          const before = await operator.ticket.get({ ticketId });
          if (each === 'prove') {
            if (before.state !== 'open') continue;
            await operator.artifact.put({ ticketId, artifact: { type: 'proof', content: {} } });
            isProved = true;
            continue;
          }
          const { transitions } = await operator.ticket.validTransitions({ ticketId });
          const kind = transitions.find(({ to }) => to === each)?.kind;

          const outcome = await outcomeOf(operator.ticket.transition({ ticketId, to: each }));

          const after = await operator.ticket.get({ ticketId });
          const isMoved = outcome === 'accepted';
          const left = phases
            .slice(placeOf(before), Math.max(placeOf(before), placeOf(after)))
            .filter((name) => given.gated.includes(name));
          const faults = {
            'a refused move changed the ticket': !isMoved && !isDeepStrictEqual(after, before),
            'a forward edge was taken past its gate': isMoved && kind === 'forward' && given.gated.includes(before.phase) && !isProved,
            'another way led around gates': isMoved && kind !== 'forward' && left.length > 0,
            'the way back to where it was blocked was closed': !isMoved && before.phase === stuck && each === before.previousPhase,
          };
          expect(Object.entries(faults).flatMap(([fault, isThere]) => (isThere ? [fault] : []))).toEqual([]);
          if (isMoved) isProved = false;
        }
      }),
      { ...settings, numRuns: runs },
    ),
  timeoutMs,
);
