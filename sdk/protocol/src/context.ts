import { z } from 'zod';
import { id, jsonValue, phaseName, sha256, timestamp } from './values.ts';

/** In the order of a pack's sections. */
export const contextKinds = ['instruction', 'constraint', 'question', 'decision', 'rejected', 'risk', 'number', 'fact'] as const;
export const contextKind = z
  .enum(contextKinds)
  .meta({ id: 'ContextKind', description: 'What kind of statement it is, in the order in which a pack lists them.' });
export type ContextKind = z.infer<typeof contextKind>;

/** Whose word a statement is. */
export const contextSources = ['said', 'summary', 'artifact', 'reported', 'mechanical'] as const;
export const contextSource = z.enum(contextSources).meta({
  id: 'ContextSource',
  description:
    'Whose word it is: `said` by an agent or a person; `summary` and `artifact` are what a task returned; `reported` is what an artifact tells, the word of its author; `mechanical` is what the coordinator saw for itself.',
});
export type ContextSource = z.infer<typeof contextSource>;

export const citation = z.string().regex(/^c:\d{1,9}$/, 'The citation of an item, such as c:12.');

/** Where a statement comes from: an artifact's digest, a place in a file, the number of an event, the id of a task, another item's citation. */
export const contextReference = z
  .strictObject({
    kind: z.enum(['artifact', 'file', 'event', 'task', 'item']),
    value: z.string().max(1_024),
    line: z.int().min(1).optional().describe('Of a file; with a `lineEnd` the first of several.'),
    lineEnd: z.int().min(1).optional().describe('The last line, not before `line`.'),
  })
  .refine(({ line, lineEnd }) => lineEnd === undefined || (line !== undefined && line <= lineEnd), {
    path: ['lineEnd'],
    error: 'Give the first line as well, in `line`, and none that comes after this one.',
  });
export type ContextReference = z.infer<typeof contextReference>;

/** How much an item has for programs, in characters of JSON, and how much its references have. */
export const contextJsonCharactersMax = 16_000;

/** How many references an item has. */
export const contextReferencesMax = 100;

// Within a list, since a function, which is no JSON, has no text of its own.
const charactersOf = (value: unknown): number => JSON.stringify([value]).length - 2;

const fits = (value: unknown): boolean => charactersOf(value) <= contextJsonCharactersMax;

const tooLong = {
  error: ({ input }: { readonly input?: unknown }) =>
    `It has ${charactersOf(input)} characters as JSON; an item takes ${contextJsonCharactersMax}. Put what is long into an artifact and refer to its digest.`,
};

export const newContextItem = z
  .strictObject({
    kind: contextKind,
    text: z.string().regex(/\S/, 'Say something: a text of blanks is none.').max(4_000).describe('The statement, in a sentence or two.'),
    rationale: z
      .string()
      .max(4_000)
      .optional()
      .describe('Why: for a decision its reasons, for a rejected alternative what spoke against it.'),
    data: jsonValue
      .refine(fits, tooLong)
      .optional()
      .describe(`The same for programs, in ${contextJsonCharactersMax} characters of JSON at most.`),
    references: z
      .array(contextReference)
      .max(contextReferencesMax)
      .refine(fits, tooLong)
      .default([])
      .describe(`Where it comes from, in ${contextJsonCharactersMax} characters of JSON at most.`),
    pinned: z
      .boolean()
      .default(false)
      .describe('A pinned item is in every pack; a pack too small for it is refused. The pins of a ticket have 2,000 tokens together.'),
  })
  .meta({ id: 'NewContextItem', description: 'A statement left for those who come later.' });
export type NewContextItem = z.infer<typeof newContextItem>;
export type NewContextItemInput = z.input<typeof newContextItem>;

export const contextItem = z
  .object({
    id,
    citation: z.string().describe('How a pack cites it: `c:` and its number in the ticket.'),
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    kind: contextKind,
    text: z.string(),
    rationale: z
      .string()
      .optional()
      .describe(
        'The reasons, each on a line, as often as it was said. Beyond 20,000 characters the oldest are cut, and a line says so. Packs and aggregates have the first 400 characters; the text of a pack has all of them where every item has room.',
      ),
    data: jsonValue
      .optional()
      .describe('The same for programs. Packs and aggregates are without it; `context/expand` and `context/list` tell it.'),
    references: z
      .array(contextReference)
      .describe(
        'Of what was said often the newest, as many as one item may have. Packs and aggregates have the newest five, the first 200 characters of each.',
      ),
    pinned: z.boolean(),
    author: z.string().describe('The name of the agent or of the token that said it last; `coordinator` where nobody did.'),
    taskId: id.optional(),
    attempt: z.int32().optional(),
    createdAt: timestamp,
    source: contextSource,
    superseded: z
      .object({
        by: z.string().optional().describe('The citation of what took its place; absent where nothing did.'),
        reason: z.string(),
        at: timestamp,
      })
      .optional()
      .describe('It no longer holds: no pack has it any more.'),
    byOperator: z
      .boolean()
      .optional()
      .describe(
        'A token of the role `operator` or `admin` has said or brought it, pinned it or let it go. Agents do not give it up, and by saying it again they add nothing but references.',
      ),
  })
  .meta({ id: 'ContextItem', description: 'A statement with its place in the ticket.' });
export type ContextItem = z.infer<typeof contextItem>;

export const narrative = z
  .object({
    text: z.string().describe('Lines, each with the citations of the items that it stands on.'),
    by: z
      .string()
      .describe(
        'Who wrote it: the summarizer and the version of its plugin, such as `digest@1.0.0`, or `extractive`, the coordinator itself.',
      ),
    fallbackBecause: z.string().optional().describe('Why the summarizer that is set was not what wrote it.'),
    uncovered: z
      .array(z.string())
      .describe('Constraints, rejected alternatives and numbers that had no room in it, by citation; a thousand at most.'),
    digest: z.string().describe('Of what it was made from: the items, the budget, and who wrote it.'),
    stale: z.boolean().describe('The items have changed since; a newer one is being written.'),
  })
  .meta({ id: 'Narrative', description: 'What a phase has come to in few words. The items are what counts.' });
export type Narrative = z.infer<typeof narrative>;

export const phaseContext = z
  .object({
    phase: phaseName,
    visit: z.int32().describe('The newest visit of the phase; 0 where there was none yet.'),
    tasksCompleted: z.int().describe('How many tasks were completed in it, in all the visits that are told of together.'),
    summaries: z.array(z.string()).describe('What the completed tasks said of themselves.'),
    items: z.array(contextItem).describe('What still holds, as it stands now, the oldest first; in a pack those that the text has.'),
    artifacts: z.array(z.object({ type: z.string(), name: z.string(), version: z.int32(), sha256: z.string() })),
    narrative: narrative.optional().describe('Absent where there are no items.'),
    stored: z
      .boolean()
      .describe('The phase has been left: nothing is added to what it has come to. What is superseded later goes from it.'),
  })
  .meta({ id: 'PhaseContext', description: 'What one phase has come to.' });
export type PhaseContext = z.infer<typeof phaseContext>;

export const contextAggregate = phaseContext
  .partial({ phase: true })
  .extend({
    omitted: z
      .object({ items: z.int(), summaries: z.int(), artifacts: z.int() })
      .describe(
        'How many more there are of each. `context/list` has all items, page by page; those of its `sources` summaries and artifacts, too.',
      ),
  })
  .meta({
    id: 'ContextAggregate',
    description: 'What one phase has come to; without a `phase` the whole ticket, its phases in the order of the workflow.',
  });
export type ContextAggregate = z.infer<typeof contextAggregate>;

export const contextPack = z
  .object({
    ticketId: id,
    forPhase: phaseName.describe('Whom it is for.'),
    phases: z.array(phaseContext).describe('The earlier phases, in workflow order.'),
    text: z.string().describe('The pack as text, each line with its citation, within the budget.'),
    tokens: z.int().describe('How many the text has.'),
    budgetTokens: z.int().describe('How many it was allowed.'),
    counter: z.string().describe('What counted the tokens.'),
    omitted: z
      .array(z.object({ citation: z.string(), tokens: z.int() }))
      .describe(
        'Items that did not fit, and what each would have taken; a thousand at most, in the order in which more room would bring them.',
      ),
    omittedBeyond: z
      .object({ items: z.int(), tokens: z.int() })
      .optional()
      .describe('How many more did not fit, and what they would have taken.'),
    asOf: z
      .int()
      .describe(
        'The number of the newest event of the ticket that it knows of: as long as there is no newer one, the same call answers the same text and the same `digest`.',
      ),
    digest: sha256.describe('Of all that it tells but why a summary is missing: with the same digest it is the same pack.'),
    own: phaseContext
      .optional()
      .describe('What the phase itself has come to so far; its items are in the text as well. Absent before the ticket is in it.'),
    notConsidered: z
      .int()
      .optional()
      .describe(
        'How many items hold beside the 20,000 of a ticket that packs are made from: they are neither in the text nor among the omitted. `context/list` tells them.',
      ),
    cut: z
      .array(z.object({ citation: z.string(), tokens: z.int() }))
      .optional()
      .describe(
        'Items whose lines in the text are not all of them: long reasons, or a long text in the last line that fitted. With the tokens that all of each would take beyond its line, the smallest first; of more than a thousand those that lack most. `context/expand` tells all of one.',
      ),
    cutBeyond: z
      .object({ items: z.int(), tokens: z.int() })
      .optional()
      .describe('How many more have not all of them in the text, and what they lack together.'),
  })
  .meta({
    id: 'ContextPack',
    description: 'What a reader needs to know of earlier phases, and of his own so far, within a budget, each line with its source.',
  });
export type ContextPack = z.infer<typeof contextPack>;
