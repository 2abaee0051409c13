import { createHash } from 'node:crypto';
import { type ContextItem, type ContextPack, CoordinatorError, type PhaseContext } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import { TicketEntity } from '../ticket/ticket.entity.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { listHolding } from './context.store.ts';
import { addNarrative, type NarrativeParts } from './narrative.ts';
import { writePack } from './pack-rules.ts';
import { type Changes, findNotedSeq, getLastSeqOfTicket, listChanges, listVisitFacts, type VisitFacts } from './pack.store.ts';
import { dropRepeated, isStatement, selectEarlierVisits } from './phase-context.ts';
import { numberOf, rankItems } from './rank-items.ts';
import type { Relevance } from './relevance.ts';
import type { TokenCounter } from './token-counter.ts';

export interface PackParts {
  readonly counter: TokenCounter;
  readonly relevance: Relevance;
  readonly narrative: NarrativeParts;
}

export interface PackQuery {
  readonly ticketId: string;
  readonly forPhase: string;
  readonly budgetTokens: number;
  readonly query?: string | undefined;
  /** Only what has changed after this event or item. */
  readonly since?: number | string | undefined;
  /** What was noted in `forPhase` itself belongs to it, as it does with `since`. */
  readonly withOwn?: boolean;
}

export interface PackOptions {
  /** Narratives speak of what is left out. Never asked for while a task waits. */
  readonly maySummarize: boolean;
}

/** The pack for a phase. The caller has made sure that the ticket and the phase are there. */
export async function makePack(parts: PackParts, em: EntityManager, query: PackQuery, { maySummarize }: PackOptions): Promise<ContextPack> {
  const { ticketId, forPhase, budgetTokens } = query;
  // First of all: what comes in while the rest is read is told again `since` then, and never lost.
  const asOf = await getLastSeqOfTicket(em, ticketId);
  const changes = await findChanges(em, query);
  const groups = await selectVisits(em, query);
  const items = await listHolding(
    em,
    groups.flat().map(({ id }) => id),
  );
  const phases = groups.map((visits) => toPhaseContext(visits, items));
  const narrated =
    maySummarize && changes === undefined ? await Promise.all(phases.map((phase) => addNarrative(parts.narrative, em, phase))) : phases;
  const wanted = dropRepeated(items).filter(({ citation }) => changes === undefined || changes.came.has(citation));
  const text = query.query ?? '';
  const order = phases.map(({ phase }) => phase);
  const relevance = parts.relevance.score(`${ticketId} ${forPhase} ${changes === undefined ? '' : 'since'}`, wanted, text);
  const pack = writePack(
    {
      ranked: rankItems(wanted, { phases: order, query: text, relevance }),
      phases: order,
      withdrawn: changes?.withdrawn ?? [],
      // The nearest phase first, and nothing that was said of other items than these.
      narratives: narrated.flatMap(({ narrative }) => (narrative === undefined || narrative.stale ? [] : [narrative.text])).toReversed(),
    },
    budgetTokens,
    parts.counter.count,
  );
  const { chosen, ...written } = pack;
  return {
    ticketId,
    forPhase,
    phases: narrated.map((phase) => narrow(phase, chosen)),
    budgetTokens,
    counter: parts.counter.name,
    ...written,
    asOf,
    digest: digestOfInputs(parts.counter, query, { wanted, changes, narrated }),
  };
}

/**
 * The pack for a phase as text. Asks no summarizer, since tasks wait for it. Where the pinned items need more room than there is,
 * they have it: a task cannot ask for a larger budget, and must not be kept from running.
 */
export async function findContextText(
  parts: PackParts,
  em: EntityManager,
  place: { readonly ticketId: string; readonly forPhase: string },
): Promise<string> {
  const write = async (budgetTokens: number) => (await makePack(parts, em, { ...place, budgetTokens }, { maySummarize: false })).text;
  try {
    return await write(inputBudgetTokens);
  } catch (error) {
    if (!(error instanceof CoordinatorError) || typeof error.data['neededTokens'] !== 'number') throw error;
    return write(error.data['neededTokens']);
  }
}

/** The room that `{{ context }}` in a task's input takes, in tokens. */
const inputBudgetTokens = 4_000;

async function selectVisits(
  em: EntityManager,
  { ticketId, forPhase, since, withOwn = since !== undefined }: PackQuery,
): Promise<VisitFacts[][]> {
  const ticket = await em.findOneOrFail(TicketEntity, { id: ticketId });
  const { definition } = await getWorkflow(em, ticket.workflowId);
  return selectEarlierVisits(definition, await listVisitFacts(em, ticketId), forPhase, { withOwn });
}

async function findChanges(em: EntityManager, { ticketId, since }: PackQuery): Promise<Changes | undefined> {
  if (since === undefined) return undefined;
  const after = typeof since === 'number' ? since : await findNotedSeq(em, ticketId, since);
  if (after === undefined) throw new CoordinatorError('context_item_not_found', { ticketId, citation: since });
  return listChanges(em, ticketId, after);
}

function toPhaseContext(visits: readonly VisitFacts[], items: readonly ContextItem[]): PhaseContext {
  const newest = visits.at(-1);
  const phase = newest?.phase ?? '';
  return {
    phase,
    visit: newest?.number ?? 0,
    tasksCompleted: visits.reduce((sum, { tasksCompleted }) => sum + tasksCompleted, 0),
    summaries: [],
    items: dropRepeated(items.filter((item) => item.phase === phase && isStatement(item))),
    artifacts: [],
    stored: visits.every(({ stored }) => stored),
  };
}

/** A phase as the pack has it. */
function narrow(phase: PhaseContext, chosen: readonly ContextItem[]): PhaseContext {
  const ofPhase = chosen.filter((item) => item.phase === phase.phase).toSorted((a, b) => numberOf(a) - numberOf(b));
  const among = new Set(ofPhase);
  return {
    ...phase,
    items: phase.items.filter((item) => among.has(item)),
    summaries: ofPhase.filter(({ source }) => source === 'summary').map(({ text }) => text),
    artifacts: ofPhase.filter(({ source }) => source === 'artifact').map(toArtifactEntry),
  };
}

// As `itemsOfCompletion` has written it.
const toArtifactEntry = ({ data }: ContextItem) => data as PhaseContext['artifacts'][number];

interface Inputs {
  readonly wanted: readonly ContextItem[];
  readonly changes: Changes | undefined;
  readonly narrated: readonly PhaseContext[];
}

/** Of all that has a part in the text. */
function digestOfInputs(counter: TokenCounter, query: PackQuery, { wanted, changes, narrated }: Inputs): string {
  const { forPhase, budgetTokens, query: text, since } = query;
  const hash = createHash('sha256');
  const add = (value: unknown) => hash.update(`${JSON.stringify(value)}\n`);
  add([counter.name, forPhase, budgetTokens, text ?? null, since ?? null, changes?.withdrawn ?? null]);
  for (const { id, citation, phase, pinned, references, source } of wanted) add([id, citation, phase, pinned, references, source]);
  for (const { phase, narrative } of narrated) add([phase, narrative?.digest ?? null]);
  return hash.digest('hex');
}
