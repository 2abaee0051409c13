import { CoordinatorError, type Workflow } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { WorkflowEntity, type WorkflowRow } from './workflow.entity.ts';

export const toWorkflow = ({ id, name, version, builtIn, definition, createdAt }: WorkflowRow): Workflow => ({
  id,
  name,
  version,
  builtIn,
  definition,
  createdAt: createdAt.toISOString(),
});

export const findNewestWorkflow = (em: EntityManager, projectId: string, name: string): Promise<WorkflowRow | null> =>
  em.findOne(WorkflowEntity, { projectId, name }, { orderBy: { version: 'desc' } });

export interface WorkflowName {
  readonly name: string;
  readonly version?: number | undefined;
}

export async function getWorkflowByName(em: EntityManager, projectId: string, { name, version }: WorkflowName): Promise<WorkflowRow> {
  const workflow =
    version === undefined ? await findNewestWorkflow(em, projectId, name) : await em.findOne(WorkflowEntity, { projectId, name, version });
  return workflow ?? refuseMissing(em, projectId, { name, version });
}

async function refuseMissing(em: EntityManager, projectId: string, { name, version }: WorkflowName): Promise<never> {
  const stored = await listNewestWorkflows(em, projectId);
  const newest = stored.find((each) => each.name === name)?.version;
  const message =
    newest === undefined
      ? `There is no workflow ${name}; there are ${stored.map((each) => each.name).join(', ')}.`
      : `There is no version ${version} of ${name}; the newest is ${newest}.`;
  throw new CoordinatorError('workflow_not_found', { name, ...(version !== undefined && { version }), message });
}

/** The workflow a ticket was started with. */
export const getWorkflow = (em: EntityManager, id: string): Promise<WorkflowRow> => em.findOneOrFail(WorkflowEntity, { id });

export async function listNewestWorkflows(em: EntityManager, projectId: string): Promise<WorkflowRow[]> {
  const newest = await rowsOf(
    em,
    sql<{ id: string }>`select distinct on (name) id from workflows where project_id = ${projectId} order by name, version desc`,
  );
  return em.find(WorkflowEntity, { id: newest.map(({ id }) => id) }, { orderBy: { name: 'asc' } });
}

/** Lets two writers of one name take turns. */
export const lockWorkflowName = (em: EntityManager, projectId: string, name: string): Promise<unknown[]> =>
  rowsOf(em, sql`select pg_advisory_xact_lock(hashtextextended(${`${projectId}/${name}`}, 4766))`);
