import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

export const ProjectEntity = defineEntity({
  name: 'Project',
  tableName: 'projects',
  properties: {
    id: p.uuid().primary(),
    name: p.string(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
  },
});

export type ProjectRow = InferEntity<typeof ProjectEntity>;
