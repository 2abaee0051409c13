import { type ContextItem, contextKinds, type NewContextItemInput } from '@baton/protocol';
import { createPackCounter } from '../../coordinator/src/context/pack-counter.ts';
import { writePack } from '../../coordinator/src/context/pack-rules.ts';
import { rankItems } from '../../coordinator/src/context/rank-items.ts';
import { createRelevance } from '../../coordinator/src/context/relevance.ts';
import { createTokenCounter } from '../../coordinator/src/context/token-counter.ts';
import { openTicket } from './harness/baton-tasks.ts';
import { defineBench } from './harness/bench.ts';
import { nowMs } from './harness/clock.ts';
import type { Place } from './harness/place.ts';

export default defineBench({
  summary: 'A pack of 4,000 tokens out of many items of one ticket, in answer to a query: the rule alone, and the call.',
  settings: {
    items: { about: 'items of the ticket', standard: 10_000, smoke: 40 },
    packs: { about: 'packs in one sample', standard: 40, smoke: 2 },
  },
  async run({ sizes, place, latencies }) {
    const items = Array.from({ length: sizes.items }, (_, index) => toItem(index + 1));
    const ticketId = await fillTicket(place, items);
    const count = (share: number) => Math.ceil(sizes.packs * share);
    // What a coordinator has kept since the pack before.
    const kept = createPacker();
    return {
      tables: [
        await latencies({ title: `One pack of ${sizes.items} items`, unit: 'ms' }, [
          { name: 'The rule', measure: (share) => measureRule(() => kept, items, count(share)) },
          {
            name: 'The rule, nothing kept of earlier packs',
            measure: (share) => measureRule(createPacker, items, Math.ceil(count(share) / 8)),
          },
          { name: 'context/get', measure: (share) => measureCall(place, ticketId, count(share)) },
          {
            name: 'context/get after a supersede',
            measure: (share) => measureCall(place, ticketId, count(share), () => supersedeOldest(place, ticketId)),
          },
        ]),
      ],
      notes: [],
    };
  },
});

const phases = ['REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION'];

/** Different for each pack, as readers are. */
const queries = [
  'how long does a session live',
  'retry of a failed migration',
  'what was rejected for src/module-17.ts',
  'limit of the upload size',
];
const budgetTokens = 4_000;

const topics =
  'session lease retry migration upload size limit cache token schema module queue parser report index gate user invoice search mail'.split(
    ' ',
  );
const wordsOf = (number: number) =>
  Array.from(
    { length: 14 },
    (_, place) => `${topics[(number * 7 + place * place * 3) % topics.length]}${(number * 31 + place * 17) % 997}`,
  );

const toItem = (number: number): ContextItem => ({
  id: `item-${number}`,
  citation: `c:${number}`,
  ticketId: 'ticket',
  phase: phases[number % phases.length] ?? 'DESIGN',
  visit: 1,
  kind: contextKinds[number % contextKinds.length] ?? 'fact',
  text: `${topics[number % topics.length]} ${wordsOf(number).join(' ')}.`,
  references: [{ kind: 'file', value: `src/module-${number % 300}.ts` }],
  pinned: number % 2_500 === 1,
  author: 'bench',
  createdAt: '',
  source: 'said',
});

type Packer = (items: readonly ContextItem[], query: string) => Promise<unknown>;

function createPacker(): Packer {
  const relevance = createRelevance();
  const counter = createPackCounter(createTokenCounter().count);
  return async (items, query) =>
    writePack(
      { ranked: rankItems(items, { phases, query, relevance: await relevance.score('bench', items, query) }), phases },
      budgetTokens,
      counter,
    );
}

async function measureRule(packer: () => Packer, items: readonly ContextItem[], count: number): Promise<number[]> {
  const took: number[] = [];
  while (took.length < count) {
    const pack = packer();
    const sinceMs = nowMs();
    await pack(items, queries[took.length % queries.length] ?? '');
    took.push(nowMs() - sinceMs);
  }
  return took;
}

async function measureCall({ client }: Place, ticketId: string, count: number, before?: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  while (took.length < count) {
    await before?.();
    const sinceMs = nowMs();
    await client.context.get({ ticketId, forPhase: 'IMPLEMENTATION', budgetTokens, query: queries[took.length % queries.length] });
    took.push(nowMs() - sinceMs);
  }
  return took;
}

async function supersedeOldest({ client }: Place, ticketId: string): Promise<void> {
  const { items } = await client.context.list({ ticketId, pinned: false, superseded: false, limit: 1 });
  for (const { citation, kind, text } of items)
    await client.context.supersede({ ticketId, citation, by: { kind, text: `${text} Again.` }, reason: 'The bench goes on.' });
}

/** As many as one completion may bring. */
const together = 1_000;

async function fillTicket(place: Place, items: readonly ContextItem[]): Promise<string> {
  const { client } = place;
  const ticketId = await openTicket(place);
  await client.agent.register({ name: 'bench-context', capabilities: ['bench-context'], capacity: 1 });
  for (let done = 0; done < items.length; done += together) {
    await client.task.submit({ ticketId, tasks: [{ type: 'bench-context' }] });
    const { claims } = await client.task.claim({ waitMs: 10_000 });
    const context = items
      .slice(done, done + together)
      .map(({ kind, text, references, pinned }): NewContextItemInput => ({ kind, text, references, pinned }));
    for (const { taskId, attempt } of claims) await client.task.complete({ taskId, attempt, context });
  }
  await client.agent.deregister();
  return ticketId;
}
