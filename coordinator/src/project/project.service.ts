import { CoordinatorError, type Project, type Role } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { isUniqueViolation } from '../db/errors.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { ProjectEntity, type ProjectRow } from './project.entity.ts';
import { findProjectByName } from './project.store.ts';
import { TokenEntity } from './token.entity.ts';

export const defaultProject = 'default';

export const toProject = ({ id, name, createdAt }: ProjectRow): Project => ({ id, name, createdAt: createdAt.toISOString() });

export async function createProject({ em }: Pick<Tx, 'em'>, name: string): Promise<Project> {
  const project = em.create(ProjectEntity, { id: uuidv7(), name });
  try {
    await em.flush();
  } catch (error) {
    if (isUniqueViolation(error)) throw new CoordinatorError('project_exists', { name }, { cause: error });
    throw error;
  }
  await rowsOf(em, sql`insert into event_streams (project_id) values (${project.id})`);
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

export interface NewToken {
  readonly id: string;
  readonly secretHash: string;
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
}

export async function storeToken(em: EntityManager, token: NewToken): Promise<void> {
  em.create(TokenEntity, { ...token, expiresAt: null, revokedAt: null });
  await em.flush();
}
