import type { ContextItem, ContextKind, JsonValue } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

export const ContextItemEntity = defineEntity({
  name: 'ContextItem',
  tableName: 'context_items',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    ticketId: p.uuid(),
    visitId: p.uuid(),
    phase: p.string(),
    visitNumber: p.integer(),
    number: p.integer(),
    kind: p.string().$type<ContextKind>(),
    text: p.string(),
    rationale: p.string().nullable(),
    data: p.json<JsonValue>().nullable(),
    refs: p.json<ContextItem['references']>(),
    pinned: p.boolean(),
    author: p.string(),
    taskId: p.uuid().nullable(),
    attempt: p.integer().nullable(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type ContextItemRow = InferEntity<typeof ContextItemEntity>;
