import type { GateReason, GateResult, Verdict } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

export const GateResultEntity = defineEntity({
  name: 'GateResult',
  tableName: 'gate_results',
  properties: {
    id: p.uuid().primary(),
    ticketId: p.uuid(),
    visitId: p.uuid(),
    phase: p.string(),
    visitNumber: p.integer(),
    outcome: p.string().$type<GateResult['outcome']>(),
    digest: p.string(),
    judged: p.json<GateResult['judged']>(),
    reasons: p.json<GateReason[]>(),
    verdicts: p.json<Verdict[]>(),
    durationMs: p.double().$type<number>(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type GateResultRow = InferEntity<typeof GateResultEntity>;
