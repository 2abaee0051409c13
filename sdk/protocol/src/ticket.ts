import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { gateReason } from './gate.ts';
import { ids } from './story/cast.ts';
import { bugInReview, fixVisit, reportedBug, reviewVisit } from './story/ticket.ts';
import { bugFixPhases } from './story/workflow.ts';
import { id, jsonObject, limit, name, nextCursor, phaseName, priority, timestamp } from './values.ts';
import { edgeKind, phaseDefinition } from './workflow.ts';

export const ticketStates = ['open', 'blocked', 'closed'] as const;
export const ticketState = z
  .enum(ticketStates)
  .meta({ id: 'TicketState', description: '`open` until a phase is reached that nothing leaves. A blocked ticket waits for someone.' });

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
    blockedReason: z.string().optional().describe('Why it is blocked: what the gate said, or whoever blocked it.'),
    metadata: jsonObject.describe('Whatever its author wanted to keep with it.'),
    createdAt: timestamp,
    updatedAt: timestamp,
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
    summary: 'Lists tickets, newest first.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      phase: phaseName.optional().describe('Only those in this phase.'),
      states: z.array(ticketState).optional().describe('Only those in these states.'),
      after: id.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ tickets: z.array(ticket), next: nextCursor }),
    errors: [],
    example: { params: { states: ['open'] }, result: { tickets: [reportedBug] } },
  }),
  'ticket/transition': method({
    summary: 'Moves a ticket along an edge of its workflow. A forward edge passes the gate of the phase that is left.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id,
      to: phaseName.describe('The phase it is to move to.'),
      reason: z.string().max(4_000).optional().describe('Kept in the history.'),
      artifacts: jsonObject.default({}).describe('What is given as its grounds, kept in the history.'),
      visit: z.int32().min(1).optional().describe('Refused unless the ticket is still in this visit.'),
      force: z.boolean().default(false).describe('Ignores the gate. Needs the admin role and a reason, and leaves an event.'),
    }),
    result: z.object({ ticket, visit: phaseVisit }),
    errors: ['ticket_not_found', 'phase_unknown', 'transition_refused', 'gate_blocked', 'version_conflict', 'access_denied', 'overloaded'],
    example: {
      params: { ticketId: ids.ticket, to: 'REVIEW', reason: 'The test passes.', visit: 1 },
      result: { ticket: bugInReview, visit: reviewVisit },
    },
  }),
  'ticket/history': method({
    summary: 'Lists the phase visits of a ticket in order.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id }),
    result: z.object({ visits: z.array(phaseVisit) }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: { visits: [fixVisit, reviewVisit] } },
  }),
  'ticket/validTransitions': method({
    summary: 'Lists the edges that leave the phase the ticket is in.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id }),
    result: z.object({ from: phaseName, transitions: z.array(z.object({ to: phaseName, kind: edgeKind })) }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: { from: 'FIX', transitions: [{ to: 'REVIEW', kind: 'forward' }] } },
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
  'ticket.gateForced': event({
    summary: 'An admin moved a ticket past its gate.',
    data: z.object({ ticketId: id, phase: phaseName, by: z.string(), reason: z.string(), reasons: z.array(gateReason) }),
  }),
};
