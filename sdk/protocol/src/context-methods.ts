import { z } from 'zod';
import { agent } from './agent.ts';
import { artifact } from './artifact.ts';
import {
  citation,
  contextAggregate,
  contextItem,
  contextKind,
  contextPack,
  contextReference,
  contextSource,
  newContextItem,
} from './context.ts';
import { event, method, readParams, writeParams } from './define.ts';
import { gateResult } from './gate.ts';
import { grantedLock } from './lock.ts';
import { ids } from './story/cast.ts';
import {
  decisionItem,
  expandedDecision,
  fixAggregate,
  newDecision,
  newerDecision,
  packForReview,
  pinnedFact,
  replacedDecision,
  whatIsLost,
} from './story/context.ts';
import { claim, task } from './task.ts';
import { id, jsonObject, limit, nextCursor, phaseName, timestamp } from './values.ts';

const budgetTokens = z.int().min(50).max(200_000).default(4_000).describe('How long the text may be.');
const since = z
  .union([z.int().min(0), citation])
  .optional()
  .describe(
    'Only what came, was pinned or was superseded after this event or item, such as the `asOf` of an earlier pack. After an item, what was noted together with it may be told again.',
  );
const origin = {
  taskId: id.optional().describe('The task that it came from.'),
  attempt: z.int32().min(1).optional().describe('The attempt at this task. A stale one is refused.'),
};

const expandedItem = z
  .object({
    item: contextItem,
    task: task.optional().describe('The task that it came from.'),
    artifacts: z.array(artifact).describe('The versions of artifacts whose digests it refers to.'),
    tasks: z.array(task),
    events: z.array(z.object({ seq: z.int(), name: z.string(), at: timestamp, data: jsonObject })),
    items: z.array(contextItem).describe('The items that it refers to, that it took the place of, and that took its place.'),
    unresolved: z.array(contextReference).describe('What leads to nothing here, files among them: they lie with the agents.'),
  })
  .meta({ id: 'ExpandedContextItem', description: 'An item in full, with what it refers to.' });
export type ExpandedContextItem = z.infer<typeof expandedItem>;

const heldLock = grantedLock.extend({
  taskId: id.optional().describe('The task that it is held for; without one it belongs to the session.'),
  attempt: z.int32().optional(),
});

const rehydration = z
  .object({
    agent: agent.describe('Itself.'),
    team: z.array(agent).describe('The agents of the project that are there, itself among them.'),
    tasks: z.array(claim).describe('The attempts that the session holds, with their inputs.'),
    locks: z.array(heldLock).describe('All that the session holds, with the fences.'),
    tickets: z
      .array(
        z.object({
          ticketId: id,
          phase: phaseName,
          gate: gateResult.optional().describe('What its gate said last.'),
          pack: contextPack.optional().describe('For the phase that the ticket is in; absent where it `failed`.'),
          failed: z
            .object({ kind: z.string(), message: z.string(), neededTokens: z.int().optional() })
            .optional()
            .describe('Why there is no pack: the kind of the error that `context/get` answers, what helps, and the budget that would do.'),
        }),
      )
      .describe('Of the tasks that it holds; at most ten.'),
    otherTickets: z.array(id).optional().describe('The tickets of its tasks beyond these ten: `context/get` has the pack of each.'),
  })
  .meta({ id: 'Rehydration', description: 'All that an agent needs to go on after it has lost its memory.' });
export type Rehydration = z.infer<typeof rehydration>;

export const contextMethods = {
  'context/note': method({
    summary:
      'Leaves an item for later phases. The same text of the same kind in one visit is kept once, with every reason, reference and pin given with it.',
    access: 'work',
    session: false,
    idempotent: true,
    params: writeParams({
      ticketId: id,
      item: newContextItem,
      taskId: origin.taskId,
      attempt: z
        .int32()
        .min(1)
        .optional()
        .describe(
          "The attempt at this task, which may have ended. Another agent's is refused. What the ticket has given up since it began stays given up.",
        ),
    }),
    result: contextItem,
    errors: ['ticket_not_found', 'claim_stale'],
    example: { params: { ticketId: ids.ticket, item: newDecision, taskId: ids.reproduce, attempt: 1 }, result: decisionItem },
  }),
  'context/list': method({
    summary: 'Lists the items of a ticket, oldest first, those that no longer hold included. A page of long items ends before its limit.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      phase: phaseName.optional().describe('Only of this phase.'),
      kinds: z.array(contextKind).optional().describe('Only of these kinds.'),
      after: citation.optional().describe('The citation of the last item seen.'),
      limit: limit.default(100),
      author: z.string().max(128).optional().describe('Only what this agent or token left.'),
      taskId: id.optional().describe('Only what came from this task.'),
      pinned: z.boolean().optional().describe('Only those that are pinned, or that are not.'),
      superseded: z.boolean().optional().describe('Only those that no longer hold, or that still do.'),
      sources: z.array(contextSource).optional().describe('Only from these.'),
      citations: z.array(citation).max(1_000).optional().describe('Only these; what is not there is passed over.'),
    }),
    result: z.object({ items: z.array(contextItem), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket, kinds: ['decision'] }, result: { items: [decisionItem] } },
  }),
  'context/aggregate': method({
    summary: 'Returns what one phase, or the whole ticket, has come to: its completed tasks, items, artifacts and a summary.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      phase: phaseName.optional().describe('Without it the whole ticket.'),
      limit: limit
        .default(100)
        .describe(
          'At most this many items, summaries and artifacts: of the items first the pinned, the constraints, rejected alternatives and numbers, then the newest; of the others the last. A list ends before the limit where its entries have more than a million characters; `omitted` counts the rest.',
        ),
    }),
    result: contextAggregate,
    errors: ['ticket_not_found', 'phase_unknown'],
    example: { params: { ticketId: ids.ticket, phase: 'FIX' }, result: fixAggregate },
  }),
  'context/get': method({
    summary:
      'Returns what the phases before `forPhase` have come to, and that phase itself so far, within a budget of tokens, each line with its source.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      forPhase: phaseName.optional().describe('Without it the phase that the ticket is in.'),
      budgetTokens,
      query: z
        .string()
        .max(2_000)
        .optional()
        .describe('What the reader is after: items that speak of it, or of files it names, come first.'),
      since,
    }),
    result: contextPack,
    errors: ['ticket_not_found', 'phase_unknown', 'limit_exceeded', 'context_item_not_found'],
    example: { params: { ticketId: ids.ticket, forPhase: 'REVIEW', budgetTokens: 2_000 }, result: packForReview },
  }),
  'context/supersede': method({
    summary:
      'Puts an item in the place of another, which no pack has any more. It stays listed, with what took its place and why. A pin goes over to the new one. What the coordinator has recorded, and what an operator or admin has said or pinned, is refused to agents.',
    access: 'work',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id,
      citation: citation.describe('What no longer holds. The same statement elsewhere in the ticket goes with it.'),
      by: z.union([citation, newContextItem]).describe('What holds instead: a new item, or the citation of one.'),
      reason: z.string().min(1).max(1_000),
      ...origin,
    }),
    result: z.object({ superseded: contextItem, by: contextItem }),
    errors: ['ticket_not_found', 'context_item_not_found', 'context_item_superseded', 'claim_stale'],
    example: {
      params: { ticketId: ids.ticket, citation: 'c:1', by: newerDecision, reason: 'The library quotes by itself now.' },
      result: replacedDecision,
    },
  }),
  'context/pin': method({
    summary:
      'Pins an item, so that it is in every pack, or lets it go again. What the coordinator has recorded, and what an operator or admin has said or pinned, agents do not let go.',
    access: 'work',
    session: false,
    idempotent: true,
    params: writeParams({ ticketId: id, citation, pinned: z.boolean().default(true), ...origin }),
    result: contextItem,
    errors: ['ticket_not_found', 'context_item_not_found', 'context_item_superseded', 'claim_stale'],
    example: { params: { ticketId: ids.ticket, citation: 'c:2', pinned: true }, result: pinnedFact },
  }),
  'context/expand': method({
    summary: 'Returns one item in full, with the artifacts, tasks, events and items that it refers to.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id, citation }),
    result: expandedItem,
    errors: ['ticket_not_found', 'context_item_not_found'],
    example: { params: { ticketId: ids.ticket, citation: 'c:1' }, result: expandedDecision },
  }),
  'context/rehydrate': method({
    summary: 'Returns all that an agent needs to go on after it has lost its memory: its team, tasks, locks, gate findings and context.',
    access: 'read',
    session: true,
    idempotent: true,
    params: readParams({ budgetTokens: budgetTokens.describe('How long the text of the pack of each ticket may be.') }),
    result: rehydration,
    errors: ['session_unknown'],
    example: { params: {}, result: whatIsLost },
  }),
};

export const contextEvents = {
  'context.noted': event({
    summary: 'An item was left for later phases, or left again with something more.',
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
  'context.recorded': event({
    summary: 'Items were recorded that nobody had to say: what a task returned, what an artifact tells, and what the coordinator saw.',
    data: z.object({ ticketId: id, phase: phaseName, citations: z.array(z.string()) }),
  }),
  'context.superseded': event({
    summary: 'Items no longer hold; something may have taken their place.',
    data: z.object({
      ticketId: id,
      phase: phaseName,
      citations: z.array(z.string()),
      by: z.string().optional(),
      reason: z.string(),
      author: z.string(),
    }),
  }),
  'context.pinned': event({
    summary: 'Items were pinned, or let go.',
    data: z.object({ ticketId: id, phase: phaseName, citations: z.array(z.string()), pinned: z.boolean(), author: z.string() }),
  }),
  'context.summarized': event({
    summary: 'A summarizer has told in few words what a phase has come to, and packs say it from here on.',
    data: z.object({
      ticketId: id,
      phase: phaseName,
      by: z.string().describe('The summarizer and the version of its plugin.'),
      digest: z.string().describe('Of what it was made from, as a `narrative` has it.'),
    }),
  }),
};
