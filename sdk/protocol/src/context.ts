import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { decisionItem, fixContext, newDecision, packForReview } from './story/context.ts';
import { id, jsonValue, limit, nextCursor, phaseName, timestamp } from './values.ts';

/** In the order of a pack's sections. */
export const contextKinds = ['instruction', 'constraint', 'question', 'decision', 'rejected', 'risk', 'number', 'fact'] as const;
export const contextKind = z
  .enum(contextKinds)
  .meta({ id: 'ContextKind', description: 'What kind of statement it is, in the order in which a pack lists them.' });
export type ContextKind = z.infer<typeof contextKind>;

/** Where a statement comes from: an artifact's digest, a place in a file, an event. */
export const contextReference = z.strictObject({
  kind: z.enum(['artifact', 'file', 'event', 'task']),
  value: z.string().max(1_024),
  line: z.int().min(1).optional(),
});

export const newContextItem = z
  .strictObject({
    kind: contextKind,
    text: z.string().min(1).max(4_000).describe('The statement, in a sentence or two.'),
    rationale: z
      .string()
      .max(4_000)
      .optional()
      .describe('Why: for a decision its reasons, for a rejected alternative what spoke against it.'),
    data: jsonValue.optional().describe('The same for programs.'),
    references: z.array(contextReference).max(100).default([]).describe('Where it comes from.'),
    pinned: z.boolean().default(false).describe('A pinned item is in every pack; a pack too small for it is refused.'),
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
    rationale: z.string().optional(),
    data: jsonValue.optional(),
    references: z.array(contextReference),
    pinned: z.boolean(),
    author: z.string().describe('The name of the agent or of the token that left it.'),
    taskId: id.optional(),
    attempt: z.int32().optional(),
    createdAt: timestamp,
  })
  .meta({ id: 'ContextItem', description: 'A statement with its place in the ticket.' });
export type ContextItem = z.infer<typeof contextItem>;

export const phaseContext = z
  .object({
    phase: phaseName,
    visit: z.int32().describe('The newest visit of the phase; 0 where there was none yet.'),
    tasksCompleted: z.int().describe('How many tasks were completed in this visit.'),
    summaries: z.array(z.string()).describe('What the completed tasks said of themselves.'),
    items: z.array(contextItem),
    artifacts: z.array(z.object({ type: z.string(), name: z.string(), version: z.int32(), sha256: z.string() })),
    narrative: z.string().optional().describe('By the summarizer; absent while it has not been asked.'),
    stored: z.boolean().describe('The phase has been left and this is what was stored then.'),
  })
  .meta({ id: 'PhaseContext', description: 'What one phase has come to.' });
export type PhaseContext = z.infer<typeof phaseContext>;

export const contextPack = z
  .object({
    ticketId: id,
    forPhase: phaseName.describe('Whom it is for.'),
    phases: z.array(phaseContext).describe('The earlier phases, in workflow order.'),
    text: z.string().describe('The pack as text, each line with its citation, within the budget.'),
    tokens: z.int().describe('How many the text has.'),
    budgetTokens: z.int().describe('How many it was allowed.'),
    counter: z.string().describe('What counted the tokens.'),
    omitted: z.array(z.object({ citation: z.string(), tokens: z.int() })).describe('Items that did not fit, by citation.'),
  })
  .meta({ id: 'ContextPack', description: 'What a reader needs to know of earlier phases, within a budget, each line with its source.' });
export type ContextPack = z.infer<typeof contextPack>;

export const contextMethods = {
  'context/note': method({
    summary: 'Leaves an item for later phases. The same text of the same kind in one visit is kept once.',
    access: 'work',
    session: false,
    idempotent: true,
    params: writeParams({
      ticketId: id,
      item: newContextItem,
      taskId: id.optional().describe('The task that it came from.'),
      attempt: z.int32().min(1).optional().describe('The attempt at this task. A stale one is refused.'),
    }),
    result: contextItem,
    errors: ['ticket_not_found', 'claim_stale'],
    example: { params: { ticketId: ids.ticket, item: newDecision, taskId: ids.reproduce, attempt: 1 }, result: decisionItem },
  }),
  'context/list': method({
    summary: 'Lists the items of a ticket, oldest first.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      phase: phaseName.optional().describe('Only of this phase.'),
      kinds: z.array(contextKind).optional().describe('Only of these kinds.'),
      after: z
        .string()
        .regex(/^c:\d{1,9}$/, 'The citation of the last item seen, such as c:12.')
        .optional(),
      limit: limit.default(100),
    }),
    result: z.object({ items: z.array(contextItem), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket, kinds: ['decision'] }, result: { items: [decisionItem] } },
  }),
  'context/aggregate': method({
    summary: 'Returns what one phase has come to: its completed tasks, items, artifacts and a summary.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id, phase: phaseName }),
    result: phaseContext,
    errors: ['ticket_not_found', 'phase_unknown'],
    example: { params: { ticketId: ids.ticket, phase: 'FIX' }, result: fixContext },
  }),
  'context/get': method({
    summary: 'Returns what the phases before `forPhase` have come to, within a budget of tokens, each line with its source.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      forPhase: phaseName.optional().describe('Without it the phase that the ticket is in.'),
      budgetTokens: z.int().min(50).max(200_000).default(4_000).describe('How long the text may be.'),
    }),
    result: contextPack,
    errors: ['ticket_not_found', 'phase_unknown', 'limit_exceeded'],
    example: { params: { ticketId: ids.ticket, forPhase: 'REVIEW', budgetTokens: 1_000 }, result: packForReview },
  }),
};

export const contextEvents = {
  'context.noted': event({
    summary: 'An item was left for later phases.',
    data: z.object({
      itemId: id,
      citation: z.string(),
      ticketId: id,
      phase: phaseName,
      kind: contextKind,
      text: z.string(),
      author: z.string(),
    }),
  }),
};
