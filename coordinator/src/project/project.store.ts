import type { Role } from '@baton/protocol';
import { sql } from 'kysely';
import type { Caller } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { findRow } from '../db/rows.ts';
import { ProjectEntity, type ProjectRow } from './project.entity.ts';

export const findProjectByName = (em: EntityManager, name: string): Promise<ProjectRow | null> => em.findOne(ProjectEntity, { name });

/** A token speaks for its own project only, so that is all it sees. */
export const listProjects = (em: EntityManager, projectId: string): Promise<ProjectRow[]> => em.find(ProjectEntity, { id: projectId });

export interface KnownToken {
  readonly caller: Caller;
  readonly secretHash: string;
}

interface TokenRow {
  readonly name: string;
  readonly role: Role;
  readonly secretHash: string;
  readonly projectId: string;
  readonly projectName: string;
}

/** The token with this id unless it has expired or been revoked. */
export async function findToken(em: EntityManager, id: string): Promise<KnownToken | undefined> {
  const row = await findRow(
    em,
    sql<TokenRow>`select t.name, t.role, t.secret_hash, p.id as project_id, p.name as project_name from tokens t join projects p on p.id = t.project_id
        where t.id = ${id} and t.revoked_at is null and (t.expires_at is null or t.expires_at > clock_timestamp())`,
  );
  if (row === undefined) return undefined;
  const { secretHash, name, role, projectId, projectName } = row;
  return { secretHash, caller: { tokenId: id, name, role, projectId, projectName } };
}
