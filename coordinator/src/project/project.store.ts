import type { Caller } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { ProjectEntity, type ProjectRow } from './project.entity.ts';
import { TokenEntity, type TokenRow } from './token.entity.ts';

export const findProjectByName = (em: EntityManager, name: string): Promise<ProjectRow | null> => em.findOne(ProjectEntity, { name });

/** A token speaks for its own project only, so that is all it sees. */
export const listProjects = (em: EntityManager, projectId: string): Promise<ProjectRow[]> => em.find(ProjectEntity, { id: projectId });

export interface KnownToken {
  readonly caller: Caller;
  readonly secretHash: string;
}

/** The token with this id unless it has expired or been revoked. */
export async function findToken(em: EntityManager, id: string): Promise<KnownToken | undefined> {
  const token = await em.findOne(TokenEntity, { id });
  if (token === null || token.revokedAt !== null || isPast(token)) return undefined;
  const project = await em.findOneOrFail(ProjectEntity, { id: token.projectId });
  return {
    secretHash: token.secretHash,
    caller: { tokenId: token.id, name: token.name, projectId: project.id, projectName: project.name, role: token.role },
  };
}

const isPast = ({ expiresAt }: TokenRow) => expiresAt !== null && expiresAt !== undefined && expiresAt.getTime() <= Date.now();
