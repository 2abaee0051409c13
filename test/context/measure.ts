import type { Client, ContextItem } from '@baton/protocol';
import { countTokens } from '@baton/sdk/plugin/host';
import { baselines, fillBudget } from './baselines.ts';
import { needles, readerPhase } from './needles.ts';
import { writeNotes } from './notes.ts';

export const budgets = [500, 1_000, 2_000, 4_000] as const;
/** Of the figures in the documentation. */
export const documentedSeed = 6;

export interface Recall {
  readonly way: string;
  readonly budgetTokens: number;
  /** The share of questions whose answer stands in what the reader was given for this question. */
  readonly answered: number;
  /** The share of all constraints and numbers that stand in it, on average over the questions. */
  readonly carried: number;
}

interface Noted {
  readonly ticketId: string;
  readonly items: readonly ContextItem[];
}

interface NotesOptions {
  readonly seed: number;
  /** All notes are taken as facts, as by authors who do not say what they are. */
  readonly asFacts?: boolean;
}

/** Takes the notes with a running coordinator, phase by phase, and leaves the ticket where the reader is. */
async function takeNotes(client: Client, { seed, asFacts = false }: NotesOptions): Promise<Noted> {
  const { id: ticketId, phase } = await client.ticket.create({ title: 'Payments, second edition' });
  let current = phase;
  const goTo = async (to: string) => {
    if (to === current) return;
    await client.ticket.transition({ ticketId, to, force: true, reason: 'The notes of this phase are taken.' });
    current = to;
  };
  const items: ContextItem[] = [];
  for (const { phase, item } of writeNotes(seed)) {
    await goTo(phase);
    items.push(await client.context.note({ ticketId, item: asFacts ? { ...item, kind: 'fact' } : item }));
  }
  await goTo(readerPhase);
  return { ticketId, items };
}

const ours = 'Baton';
const oursAsFacts = 'Baton, all notes as facts';
export const ways = [ours, ...Object.keys(baselines), oursAsFacts] as const;

/** Takes the notes and asks every question at every budget: in our way through `context/get`, and in the ways of the others. */
export async function measureRecall(client: Client, seed: number): Promise<Recall[]> {
  const noted = await takeNotes(client, { seed });
  const recalls = await askAll(client, noted, ours);
  for (const budgetTokens of budgets)
    for (const [way, order] of Object.entries(baselines)) {
      const texts = needles.map(({ question }) => fillBudget(order(noted.items, question), budgetTokens, countTokens));
      recalls.push(judge(way, budgetTokens, texts));
    }
  return recalls;
}

/** The same in our way, where every note is taken as a fact. */
export const measureRecallOfFacts = async (client: Client, seed: number): Promise<Recall[]> =>
  askAll(client, await takeNotes(client, { seed, asFacts: true }), oursAsFacts);

async function askAll(client: Client, { ticketId }: Noted, way: string): Promise<Recall[]> {
  const recalls: Recall[] = [];
  for (const budgetTokens of budgets) {
    const texts: string[] = [];
    for (const { question } of needles)
      texts.push((await client.context.get({ ticketId, forPhase: readerPhase, budgetTokens, query: question })).text);
    recalls.push(judge(way, budgetTokens, texts));
  }
  return recalls;
}

/** `texts` has what was given for each question. */
function judge(way: string, budgetTokens: number, texts: readonly string[]): Recall {
  const over = texts.find((text) => countTokens(text) > budgetTokens);
  if (over !== undefined) throw new Error(`${way} gave more than ${budgetTokens} tokens.`);
  const has = (text: string, index: number) => text.includes(needles[index]!.text);
  const shares = texts.map((text) => needles.filter((_, index) => has(text, index)).length / needles.length);
  return {
    way,
    budgetTokens,
    answered: texts.filter(has).length / needles.length,
    carried: shares.reduce((sum, share) => sum + share, 0) / shares.length,
  };
}
