import type { EdgeKind, JsonObject } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

export const PhaseVisitEntity = defineEntity({
  name: 'PhaseVisit',
  tableName: 'phase_visits',
  properties: {
    id: p.uuid().primary(),
    ticketId: p.uuid(),
    number: p.integer(),
    phase: p.string(),
    fromPhase: p.string().nullable(),
    kind: p.string().$type<EdgeKind>().nullable(),
    movedBy: p.string(),
    reason: p.string().nullable(),
    artifacts: p.json<JsonObject>(),
    forced: p.boolean().default(false),
    refusals: p.integer().default(0),
    enteredAt: p.datetime().defaultRaw('clock_timestamp()'),
    leftAt: p.datetime().nullable(),
  },
});

export type PhaseVisitRow = InferEntity<typeof PhaseVisitEntity>;
