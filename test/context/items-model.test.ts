import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { readModelSettings } from '../model/settings.ts';
import { createTicketIn, outcomeOf } from '../support/work.ts';

const settings = readModelSettings();
let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

/** What is to hold: the statements, with what was given with them. */
type Model = Map<number, { pinned: boolean; readonly reasons: Set<string> }>;

const number = fc.nat(5);
const step = fc.oneof(
  fc.record({ do: fc.constant('note' as const), of: number, reason: fc.option(fc.nat(2)), pinned: fc.boolean() }),
  fc.record({ do: fc.constant('supersede' as const), of: number, by: number }),
  fc.record({ do: fc.constant('pin' as const), of: number, pinned: fc.boolean() }),
  fc.record({ do: fc.constant('move' as const), to: fc.constantFrom('DESIGN', 'BLOCKED') }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const textOf = (of: number) => `Statement ${of} of six.`;

/** A pin on what an earlier phase said, of which a later phase has a copy that nobody pinned. */
const pinnedBefore: Step[] = [
  { do: 'note', of: 5, reason: null, pinned: false },
  { do: 'note', of: 4, reason: null, pinned: true },
  { do: 'move', to: 'DESIGN' },
  { do: 'supersede', of: 5, by: 4 },
  { do: 'supersede', of: 4, by: 0 },
];

/** What a step does to what holds; where it can do nothing it is refused. */
function expectStep(model: Model, each: Step): 'accepted' | 'refused' {
  if (each.do === 'move') return 'accepted';
  const old = model.get(each.of);
  if (each.do === 'note') {
    const entry = old ?? { pinned: false, reasons: new Set<string>() };
    if (each.reason !== null) entry.reasons.add(`Reason ${each.reason}.`);
    model.set(each.of, { ...entry, pinned: entry.pinned || each.pinned });
    return 'accepted';
  }
  if (old === undefined) return 'refused';
  if (each.do === 'pin') {
    model.set(each.of, { ...old, pinned: each.pinned });
    return 'accepted';
  }
  if (each.of === each.by) return 'refused';
  const by = model.get(each.by) ?? { pinned: false, reasons: new Set<string>() };
  model.delete(each.of);
  model.set(each.by, { ...by, pinned: by.pinned || old.pinned });
  return 'accepted';
}

async function takeStep(ticketId: string, each: Step): Promise<unknown> {
  const { context, ticket } = daemon.client;
  if (each.do === 'move') return outcomeOf(ticket.transition({ ticketId, to: each.to, force: true, reason: 'On.' }));
  if (each.do === 'note') {
    const rationale = each.reason === null ? undefined : `Reason ${each.reason}.`;
    return context.note({ ticketId, item: { kind: 'decision', text: textOf(each.of), rationale, pinned: each.pinned } });
  }
  const { items } = await context.list({ ticketId, superseded: false, limit: 1_000 });
  const citation = items.findLast(({ text }) => text === textOf(each.of))?.citation ?? 'c:999';
  if (each.do === 'pin') return context.pin({ ticketId, citation, pinned: each.pinned });
  return context.supersede({ ticketId, citation, by: { kind: 'decision', text: textOf(each.by) }, reason: 'So.' });
}

test(
  'whatever is said, said again, superseded and pinned in whatever order: each statement that holds is told once, with its pin and all its reasons, and no other',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
        const model: Model = new Map();
        for (const each of steps) {
          const expected = expectStep(model, each);
          const kind = await outcomeOf(takeStep(ticketId, each));
          expect({ each, outcome: kind === 'accepted' ? 'accepted' : 'refused' }).toEqual({ each, outcome: expected });
        }

        const pack = await daemon.client.context.get({ ticketId, forPhase: 'DESIGN' });
        const live = await daemon.client.context.list({ ticketId, superseded: false, limit: 1_000 });
        const small = await daemon.client.context.get({ ticketId, forPhase: 'DESIGN', budgetTokens: 300 });

        const told = [...pack.phases, ...(pack.own === undefined ? [] : [pack.own])].flatMap(({ items }) => items);
        const statements = told.map(({ text, pinned, rationale }) => ({ text, pinned, reasons: rationale?.split('\n').toSorted() ?? [] }));
        expect(statements.toSorted((a, b) => (a.text < b.text ? -1 : 1))).toEqual(
          [...model]
            .toSorted(([a], [b]) => a - b)
            .map(([of, { pinned, reasons }]) => ({ text: textOf(of), pinned, reasons: [...reasons].toSorted() })),
        );
        expect(new Set(live.items.map(({ text }) => text))).toEqual(new Set([...model.keys()].map((of) => textOf(of))));
        const lost = [...model].filter(([of, { pinned }]) => pinned && !small.text.includes(textOf(of)));
        expect(lost).toEqual([]);
      }),
      {
        seed: settings.seed,
        numRuns: settings.runs,
        examples: [[pinnedBefore]],
        ...(settings.path !== undefined && { path: settings.path }),
      },
    );
  },
  settings.timeoutMs,
);
