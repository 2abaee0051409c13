import type { WorkflowDefinition } from '@baton/protocol';
import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

export const WorkflowEntity = defineEntity({
  name: 'Workflow',
  tableName: 'workflows',
  properties: {
    id: p.uuid().primary(),
    projectId: p.uuid(),
    name: p.string(),
    version: p.integer(),
    builtIn: p.boolean().default(false),
    definition: p.json<WorkflowDefinition>(),
    digest: p.string(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type WorkflowRow = InferEntity<typeof WorkflowEntity>;
