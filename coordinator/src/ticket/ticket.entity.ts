import type { JsonObject, Priority, Ticket } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

export const TicketEntity = defineEntity({
  name: 'Ticket',
  tableName: 'tickets',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    title: p.string(),
    description: p.string().nullable(),
    priority: p.string().$type<Priority>(),
    workflowId: p.uuid(),
    phase: p.string(),
    previousPhase: p.string().nullable(),
    blockedIn: p.string().nullable(),
    blockedReason: p.string().nullable(),
    version: p.integer().default(1),
    visitId: p.uuid(),
    visitNumber: p.integer(),
    state: p.string().$type<Ticket['state']>(),
    automatic: p.boolean(),
    metadata: p.json<JsonObject>(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
    updatedAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type TicketRow = InferEntity<typeof TicketEntity>;
