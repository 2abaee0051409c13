import type { EntityManager } from '../db/orm.ts';
import { ProjectEntity, type ProjectRow } from './project.entity.ts';

export const findProjectByName = (em: EntityManager, name: string): Promise<ProjectRow | null> => em.findOne(ProjectEntity, { name });

/** Projects by name: one, or all where none is named. */
export const listProjects = (em: EntityManager, projectId: string | undefined): Promise<ProjectRow[]> =>
  em.find(ProjectEntity, projectId === undefined ? {} : { id: projectId }, { orderBy: { name: 'asc' } });
