import { z } from 'zod';
import { agentEvents } from './agent.ts';
import { approvalEvents } from './approval.ts';
import { artifactEvents } from './artifact.ts';
import { contextEvents } from './context-methods.ts';
import { method, notification, readParams } from './define.ts';
import { gateEvents } from './gate.ts';
import { lockEvents } from './lock.ts';
import { schedulerEvents } from './scheduler.ts';
import { ids } from './story/cast.ts';
import { firstEvents } from './story/event.ts';
import { pluginEvents } from './plugin.ts';
import { taskEvents } from './task.ts';
import { ticketEvents } from './ticket.ts';
import { tokenEvents } from './token.ts';
import { id, jsonObject, limit, timestamp } from './values.ts';

export const events = {
  ...ticketEvents,
  ...taskEvents,
  ...schedulerEvents,
  ...agentEvents,
  ...lockEvents,
  ...artifactEvents,
  ...gateEvents,
  ...approvalEvents,
  ...contextEvents,
  ...tokenEvents,
  ...pluginEvents,
};
export type EventName = keyof typeof events;
export type EventData<E extends EventName> = z.output<(typeof events)[E]['data']>;
export const eventNames = Object.keys(events) as [EventName, ...EventName[]];

export const recordedEvent = z
  .object({ seq: z.int(), name: z.enum(eventNames), ticketId: id.optional(), at: timestamp, data: jsonObject })
  .meta({
    id: 'RecordedEvent',
    description: "A fact with its place in the project's stream: 1, 2, 3 … in the order of commits, without a gap.",
  });
/** The union over all events, so that a check of `name` tells the shape of `data`. */
export type RecordedEvent = {
  [E in EventName]: { seq: number; name: E; ticketId?: string | undefined; at: string; data: EventData<E> };
}[EventName];

const after = z.int().min(0).describe('The number of an event.');
const ofTicket = id.optional().describe('Only what is about this ticket.');

export const eventMethods = {
  'event/list': method({
    summary: 'Lists events after a number, in order.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      after: after.default(0).describe('The number of the last event that is known already.'),
      ticketId: ofTicket,
      limit: limit.default(100),
    }),
    result: z.object({ events: z.array(recordedEvent), lastSeq: z.int().describe('The number of the newest event of the project.') }),
    errors: [],
    example: { params: { ticketId: ids.ticket, limit: 2 }, result: { events: firstEvents, lastSeq: 31 } },
  }),
  'event/subscribe': method({
    summary: 'Sends this connection every event after a number, in order and without a gap; from now on if none is given. WebSocket only.',
    access: 'read',
    session: false,
    idempotent: false,
    params: readParams({ after: after.optional().describe('The number of the last event that is known already.'), ticketId: ofTicket }),
    result: z.object({ subscriptionId: id, after: after.describe('Everything after this number will be sent.') }),
    errors: ['ticket_not_found', 'limit_exceeded', 'invalid_request'],
    example: { params: { ticketId: ids.ticket }, result: { subscriptionId: ids.subscription, after: 1 } },
  }),
  'event/unsubscribe': method({
    summary: 'Ends a subscription.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ subscriptionId: id }),
    result: z.object({}),
    errors: ['subscription_not_found', 'invalid_request'],
    example: { params: { subscriptionId: ids.subscription }, result: {} },
  }),
};

export const eventNotifications = {
  'event/published': notification({
    summary: 'Events of a subscription, in order.',
    params: z.object({ subscriptionId: id, events: z.array(recordedEvent) }),
  }),
};
