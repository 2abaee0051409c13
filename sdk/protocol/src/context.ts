import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { decisionItem, fixContext, newDecision, packForReview } from './story/context.ts';
import { cursor, id, jsonValue, limit, phaseName, timestamp } from './values.ts';

/** In the order of a pack's sections. */
export const contextKinds = ['instruction', 'constraint', 'question', 'decision', 'rejected', 'risk', 'number', 'fact'] as const;
export const contextKind = z.enum(contextKinds).meta({ id: 'ContextKind' });
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
    text: z.string().min(1).max(4_000),
    /** Why: for a decision its reasons, for a rejected alternative what spoke against it. */
    rationale: z.string().max(4_000).optional(),
    data: jsonValue.optional(),
    references: z.array(contextReference).max(100).default([]),
    /** A pinned item is in every pack; a pack too small for it is refused. */
    pinned: z.boolean().default(false),
  })
  .meta({ id: 'NewContextItem' });
export type NewContextItem = z.infer<typeof newContextItem>;
export type NewContextItemInput = z.input<typeof newContextItem>;

export const contextItem = z
  .object({
    id,
    /** How a pack cites it: `c:` and its number in the ticket. */
    citation: z.string(),
    ticketId: id,
    phase: phaseName,
    visit: z.int(),
    kind: contextKind,
    text: z.string(),
    rationale: z.string().optional(),
    data: jsonValue.optional(),
    references: z.array(contextReference),
    pinned: z.boolean(),
    author: z.string(),
    taskId: id.optional(),
    attempt: z.int().optional(),
    createdAt: timestamp,
  })
  .meta({ id: 'ContextItem' });
export type ContextItem = z.infer<typeof contextItem>;

/** What one phase has come to. */
export const phaseContext = z
  .object({
    phase: phaseName,
    visit: z.int(),
    tasksCompleted: z.int(),
    /** What the completed tasks said of themselves. */
    summaries: z.array(z.string()),
    items: z.array(contextItem),
    artifacts: z.array(z.object({ type: z.string(), name: z.string(), version: z.int(), sha256: z.string() })),
    /** By the summarizer; absent while it has not been asked. */
    narrative: z.string().optional(),
    /** The phase has been left and this is what was stored then. */
    stored: z.boolean(),
  })
  .meta({ id: 'PhaseContext' });
export type PhaseContext = z.infer<typeof phaseContext>;

export const contextPack = z
  .object({
    ticketId: id,
    forPhase: phaseName,
    /** The earlier phases, in workflow order. */
    phases: z.array(phaseContext),
    /** The pack as text, each line with its citation, within the budget. */
    text: z.string(),
    tokens: z.int(),
    budgetTokens: z.int(),
    /** What counted the tokens. */
    counter: z.string(),
    /** Items that did not fit, by citation. */
    omitted: z.array(z.object({ citation: z.string(), tokens: z.int() })),
  })
  .meta({ id: 'ContextPack' });
export type ContextPack = z.infer<typeof contextPack>;

export const contextMethods = {
  'context/note': method({
    summary: 'Leaves an item for later phases. The same text of the same kind in one visit is kept once.',
    access: 'work',
    session: false,
    idempotent: true,
    params: writeParams({ ticketId: id, item: newContextItem, taskId: id.optional(), attempt: z.int().min(1).optional() }),
    result: contextItem,
    errors: ['ticket_not_found', 'claim_stale'],
    example: {
      params: { ticketId: ids.ticket, item: newDecision, taskId: ids.reproduce, attempt: 1 },
      result: decisionItem,
    },
  }),
  'context/list': method({
    summary: 'Lists the items of a ticket, oldest first.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      phase: phaseName.optional(),
      kinds: z.array(contextKind).optional(),
      after: cursor.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ items: z.array(contextItem), next: z.string().optional() }),
    errors: ['ticket_not_found'],
    example: {
      params: { ticketId: ids.ticket, kinds: ['decision'] },
      result: { items: [decisionItem] },
    },
  }),
  'context/aggregate': method({
    summary: 'Returns what one phase has come to: its completed tasks, items, artifacts and a summary.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id, phase: phaseName }),
    result: phaseContext,
    errors: ['ticket_not_found', 'phase_unknown'],
    example: {
      params: { ticketId: ids.ticket, phase: 'FIX' },
      result: fixContext,
    },
  }),
  'context/get': method({
    summary: 'Returns what the phases before `forPhase` have come to, within a budget of tokens, each line with its source.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id, forPhase: phaseName.optional(), budgetTokens: z.int().min(50).max(200_000).default(4_000) }),
    result: contextPack,
    errors: ['ticket_not_found', 'phase_unknown', 'limit_exceeded'],
    example: {
      params: { ticketId: ids.ticket, forPhase: 'REVIEW', budgetTokens: 1_000 },
      result: packForReview,
    },
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
