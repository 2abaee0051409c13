import type { JsonValue } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

/** Append-only: storing a type and name again makes the next version. */
export const ArtifactEntity = defineEntity({
  name: 'Artifact',
  tableName: 'artifacts',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    ticketId: p.uuid(),
    visitId: p.uuid(),
    phase: p.string(),
    visitNumber: p.integer(),
    type: p.string(),
    name: p.string(),
    version: p.integer(),
    mediaType: p.string(),
    sha256: p.string(),
    sizeBytes: p.bigint('number'),
    content: p.json<JsonValue>().nullable().lazy(),
    uri: p.string().nullable(),
    taskId: p.uuid().nullable(),
    attempt: p.integer().nullable(),
    author: p.string(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type ArtifactRow = InferEntity<typeof ArtifactEntity>;
