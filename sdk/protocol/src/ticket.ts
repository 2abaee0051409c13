import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { gateReason } from './gate.ts';
import { ids } from './story/cast.ts';
import {
  blockedVisit,
  bugBlocked,
  bugCancelled,
  bugInReview,
  bugUnblocked,
  fixVisit,
  renamedBug,
  reportedBug,
  reviewVisit,
  unblockedVisit,
} from './story/ticket.ts';
import { bugFixPhases } from './story/workflow.ts';
import { cursor, id, jsonObject, limit, name, nextCursor, phaseName, priority, timestamp } from './values.ts';
import { edgeKind, phaseDefinition } from './workflow.ts';

export const ticketStates = ['open', 'blocked', 'closed', 'cancelled'] as const;
export const ticketState = z.enum(ticketStates).meta({
  id: 'TicketState',
  description: '`open` until a phase is reached that nothing leaves. A blocked ticket waits for someone; a cancelled one is over.',
});

export const ticket = z
  .object({
    id,
    title: z.string(),
    description: z.string().optional(),
    priority,
    workflow: z.object({ name: z.string(), version: z.int32() }),
    phase: phaseName,
    previousPhase: phaseName.optional().describe('Where it came from.'),
    visit: z.int32().describe('The number of the current phase visit: 1 for the first.'),
    state: ticketState,
    blockedReason: z
      .string()
      .optional()
      .describe('Why it is blocked, or does not go on where it is: what the gate said, or whoever blocked it.'),
    metadata: jsonObject.describe('Whatever its author wanted to keep with it.'),
    createdAt: timestamp,
    updatedAt: timestamp,
    version: z.int32().describe('Grows with every change of the ticket.'),
  })
  .meta({ id: 'Ticket', description: 'A piece of work that moves through the phases of one workflow.' });
export type Ticket = z.infer<typeof ticket>;

export const phaseVisit = z
  .object({
    number: z.int(),
    from: phaseName.optional(),
    to: phaseName,
    kind: edgeKind.optional(),
    by: z.string().describe("Who moved the ticket here: an agent's name, a token's name, or `baton` where the workflow moved it."),
    reason: z.string().optional(),
    artifacts: jsonObject.describe('What the mover listed as its grounds.'),
    forced: z.boolean().describe('Moved past its gate by an admin.'),
    enteredAt: timestamp,
    leftAt: timestamp.optional(),
    durationMs: z.number().describe('Until it left, or until now.'),
  })
  .meta({ id: 'PhaseVisit', description: 'One stay of a ticket in a phase.' });
export type PhaseVisit = z.infer<typeof phaseVisit>;

const validTransition = z
  .object({
    to: phaseName,
    kind: edgeKind,
    skipsGatesOf: z
      .array(phaseName)
      .optional()
      .describe('Phases whose gates have not been passed and would be skipped: only an admin may force the ticket this way.'),
  })
  .meta({ id: 'ValidTransition', description: 'A way that leaves the phase a ticket is in.' });

export const ticketMethods = {
  'ticket/create': method({
    summary: 'Creates a ticket in the first phase of a workflow.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({
      title: z.string().min(1).max(500),
      description: z.string().max(100_000).optional(),
      priority: priority.default('MEDIUM').describe('Of its tasks, where they do not say another.'),
      workflow: z
        .strictObject({ name, version: z.int32().min(1).optional() })
        .default({ name: 'software-delivery' })
        .describe('In its newest version, unless one is named.'),
      metadata: jsonObject.default({}).describe('Whatever shall be kept with it. Templates may refer to it.'),
    }),
    result: ticket,
    errors: ['workflow_not_found'],
    example: {
      params: {
        title: 'Sign-in fails for names with an apostrophe',
        description: "O'Brien cannot sign in.",
        priority: 'HIGH',
        workflow: { name: 'bug-fix' },
        metadata: { report: 'BUG-17' },
      },
      result: reportedBug,
    },
  }),
  'ticket/get': method({
    summary: 'Returns one ticket.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id }),
    result: ticket,
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: reportedBug },
  }),
  'ticket/list': method({
    summary: 'Lists tickets, newest first. A page has about a megabyte at most, even where it has fewer than `limit`.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      phase: phaseName.optional().describe('Only those in this phase.'),
      states: z.array(ticketState).optional().describe('Only those in these states.'),
      after: id.optional(),
      limit: limit.default(100),
      priorities: z.array(priority).optional().describe('Only those with these priorities.'),
      workflow: name.optional().describe('Only those of this workflow, in any version.'),
      title: z.string().min(1).max(200).optional().describe('Only those whose title has this in it, in capitals or not.'),
    }),
    result: z.object({ tickets: z.array(ticket), next: nextCursor }),
    errors: [],
    example: { params: { states: ['open'] }, result: { tickets: [reportedBug] } },
  }),
  'ticket/update': method({
    summary: 'Changes what a ticket says of itself, as long as it is not over. What is not named stays; a null takes the description away.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id,
      version: z.int32().min(1).describe('As it was read. Refused with `version_conflict` where the ticket has changed since.'),
      title: z.string().min(1).max(500).optional(),
      description: z.string().max(100_000).nullable().optional(),
      priority: priority.optional().describe('Of its waiting tasks as well, those that have the priority the ticket had.'),
      metadata: jsonObject.optional().describe('In place of what there was.'),
    }),
    result: ticket,
    errors: ['ticket_not_found', 'version_conflict', 'phase_closed'],
    example: {
      params: { ticketId: ids.ticket, version: 4, title: "Sign-in fails for O'Brien" },
      result: renamedBug,
    },
  }),
  'ticket/transition': method({
    summary:
      'Moves a ticket along an edge of its workflow. A forward edge passes the gate of the phase that is left; another edge may lead around no gate.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id,
      to: phaseName.describe('The phase it is to move to.'),
      reason: z.string().max(4_000).optional().describe('Kept in the history.'),
      artifacts: jsonObject.default({}).describe('What is given as its grounds, kept in the history.'),
      visit: z.int32().min(1).optional().describe('Refused unless the ticket is still in this visit.'),
      force: z.boolean().default(false).describe('Ignores the gates. Needs the admin role and a reason, and leaves an event.'),
    }),
    result: z.object({ ticket, visit: phaseVisit }),
    errors: ['ticket_not_found', 'phase_unknown', 'transition_refused', 'gate_blocked', 'version_conflict', 'access_denied', 'overloaded'],
    example: {
      params: { ticketId: ids.ticket, to: 'REVIEW', reason: 'The test passes.', visit: 1 },
      result: { ticket: bugInReview, visit: reviewVisit },
    },
  }),
  'ticket/block': method({
    summary: 'Moves a ticket to the phase where blocked tickets wait. What is open in the phase that is left is cancelled.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({ ticketId: id, reason: z.string().min(1).max(4_000).describe('Why; told with the ticket until it goes on.') }),
    result: z.object({ ticket, visit: phaseVisit }),
    errors: ['ticket_not_found', 'transition_refused'],
    example: {
      params: { ticketId: ids.ticket, reason: 'The test server is away.' },
      result: { ticket: bugBlocked, visit: blockedVisit },
    },
  }),
  'ticket/unblock': method({
    summary: 'Moves a blocked ticket back to the phase it was blocked in.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({ ticketId: id, reason: z.string().max(4_000).optional().describe('Kept in the history.') }),
    result: z.object({ ticket, visit: phaseVisit }),
    errors: ['ticket_not_found', 'transition_refused'],
    example: {
      params: { ticketId: ids.ticket, reason: 'The server is back.' },
      result: { ticket: bugUnblocked, visit: unblockedVisit },
    },
  }),
  'ticket/cancel': method({
    summary: 'Ends a ticket where it stands, for good. Its open tasks are cancelled. Again is no error.',
    access: 'operate',
    session: false,
    idempotent: true,
    params: writeParams({ ticketId: id, reason: z.string().min(1).max(4_000).describe('Kept in the history and told in the event.') }),
    result: ticket,
    errors: ['ticket_not_found', 'transition_refused'],
    example: { params: { ticketId: ids.ticket, reason: 'Reported twice.' }, result: bugCancelled },
  }),
  'ticket/history': method({
    summary: 'Lists the phase visits of a ticket in order. A page has about a megabyte at most, even where it has fewer than `limit`.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      after: cursor.regex(/^\d{1,9}$/, 'Give `next` of the page before.').optional(),
      limit: limit.default(100),
    }),
    result: z.object({ visits: z.array(phaseVisit), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: { visits: [fixVisit, reviewVisit] } },
  }),
  'ticket/validTransitions': method({
    summary: 'Lists the edges that leave the phase the ticket is in, and the gates that a way would skip.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id }),
    result: z.object({ from: phaseName, transitions: z.array(validTransition) }),
    errors: ['ticket_not_found'],
    example: {
      params: { ticketId: ids.ticket },
      result: {
        from: 'FIX',
        transitions: [
          { to: 'REVIEW', kind: 'forward' },
          { to: 'BLOCKED', kind: 'block' },
        ],
      },
    },
  }),
};

export const phaseMethods = {
  'phase/list': method({
    summary: 'Lists the phases of a workflow in order.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ workflow: name.default('software-delivery').describe('In its newest version.') }),
    result: z.object({ phases: z.array(phaseDefinition.pick({ name: true, description: true, gate: true })) }),
    errors: ['workflow_not_found'],
    example: { params: { workflow: 'bug-fix' }, result: { phases: bugFixPhases } },
  }),
};

export const ticketEvents = {
  'ticket.created': event({
    summary: 'A ticket was created.',
    data: z.object({ ticketId: id, title: z.string(), workflow: z.string(), phase: phaseName }),
  }),
  'ticket.transitioned': event({
    summary: 'A ticket moved to another phase.',
    data: z.object({
      ticketId: id,
      from: phaseName,
      to: phaseName,
      kind: edgeKind,
      visit: z.int32(),
      by: z.string(),
      reason: z.string().optional(),
    }),
  }),
  'ticket.updated': event({
    summary: 'A ticket says something else of itself.',
    data: z.object({
      ticketId: id,
      version: z.int(),
      changed: z.array(z.enum(['title', 'description', 'priority', 'metadata'])),
      by: z.string(),
    }),
  }),
  'ticket.cancelled': event({
    summary: 'A ticket was ended where it stood.',
    data: z.object({ ticketId: id, phase: phaseName, by: z.string(), reason: z.string() }),
  }),
  'ticket.hindered': event({
    summary: 'A ticket that its workflow would move does not go on where it is: the reason stands in its `blockedReason`.',
    data: z.object({ ticketId: id, phase: phaseName, reason: z.string() }),
  }),
  'ticket.gateForced': event({
    summary: 'An admin moved a ticket past a gate: one event for each.',
    data: z.object({
      ticketId: id,
      phase: phaseName.describe('Whose gate.'),
      by: z.string(),
      reason: z.string(),
      reasons: z.array(gateReason),
    }),
  }),
};
