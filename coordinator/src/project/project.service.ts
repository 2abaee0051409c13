import { CoordinatorError, type EventData, type EventName, mayAccess, type Project, softwareDelivery } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { isUniqueViolation } from '../db/errors.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Caller } from '../call.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { storeWorkflow } from '../workflow/workflow.service.ts';
import { ProjectEntity, type ProjectRow } from './project.entity.ts';
import { findProjectByName, listProjects } from './project.store.ts';

const defaultProject = 'default';

export const toProject = ({ id, name, createdAt }: ProjectRow): Project => ({ id, name, createdAt: createdAt.toISOString() });

/** The admin of the project that is there from the beginning looks after all: makes projects, and their tokens. */
export const looksAfterAll = ({ projectName, role }: Caller): boolean => projectName === defaultProject && mayAccess(role, 'administer');

/** Makes a project with the built-in workflow. Elsewhere than in the default project nobody learns which names are taken. */
export async function createProject(tx: Tx, caller: Caller, name: string): Promise<Project> {
  if (!looksAfterAll(caller)) {
    throw new CoordinatorError('access_denied', {
      role: caller.role,
      message: `Only an admin of the project ${defaultProject} may create projects.`,
    });
  }
  const { em } = tx;
  const project = em.create(ProjectEntity, { id: uuidv7(), name });
  try {
    await em.flush();
  } catch (error) {
    if (isUniqueViolation(error)) throw new CoordinatorError('project_exists', { name }, { cause: error });
    throw error;
  }
  await rowsOf(em, sql`insert into event_streams (project_id) values (${project.id})`);
  await storeWorkflow({ ...tx, projectId: project.id }, softwareDelivery);
  return toProject(project);
}

/** Makes the default project in a new database; any number of coordinators may try at once. */
export async function ensureDefaultProject(em: EntityManager): Promise<string> {
  await em.transactional(async (em) => {
    const [made] = await rowsOf(
      em,
      sql<{ id: string }>`insert into projects (id, name) values (${uuidv7()}, ${defaultProject}) on conflict do nothing returning id`,
    );
    if (made !== undefined) await rowsOf(em, sql`insert into event_streams (project_id) values (${made.id})`);
  });
  const project = await findProjectByName(em.fork(), defaultProject);
  if (project === null) throw new Error('The default project vanished while the coordinator started.');
  return project.id;
}

/** Records a fact that concerns every project in each of their streams. */
export async function recordEverywhere<E extends EventName>(db: Database, name: E, data: EventData<E>): Promise<void> {
  for (const { id } of await listProjects(db.em.fork(), undefined)) {
    await transact(db, id, (tx) => {
      tx.record(name, data);
      return Promise.resolve();
    });
  }
}
