import { CoordinatorError, type Workflow } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { hasMore, pageOf } from '../db/page.ts';
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
  const newest = (await findNewestWorkflow(em, projectId, name))?.version;
  const message =
    newest === undefined
      ? `There is no workflow ${name}; there are ${await nameSome(em, projectId)}.`
      : `There is no version ${version} of ${name}; the newest is ${newest}.`;
  throw new CoordinatorError('workflow_not_found', { name, ...(version !== undefined && { version }), message });
}

async function nameSome(em: EntityManager, projectId: string): Promise<string> {
  const { workflows, next } = await listNewestWorkflows(em, { projectId, limit: 20 });
  const names = workflows.map(({ name }) => name).join(', ');
  return next === undefined ? names : `${names} and others, which workflow/list tells`;
}

/** The workflow a ticket was started with. */
export const getWorkflow = (em: EntityManager, id: string): Promise<WorkflowRow> => em.findOneOrFail(WorkflowEntity, { id });

export interface WorkflowQuery {
  readonly projectId: string;
  /** Only those behind this name. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of the newest versions, by name. */
export async function listNewestWorkflows(
  em: EntityManager,
  { projectId, after = '', limit }: WorkflowQuery,
): Promise<{ workflows: WorkflowRow[]; next?: string }> {
  const ordered = sql`select id, row_number() over (order by name) as place, octet_length(definition::text) as bytes from (
      select distinct on (name) id, name, definition from workflows where project_id = ${projectId} and name > ${after} order by name, version desc) as newest
    order by name`;
  const page = await rowsOf(em, pageOf(ordered, limit));
  const workflows = await em.find(WorkflowEntity, { id: page.map(({ id }) => id) }, { orderBy: { name: 'asc' } });
  const last = workflows.at(-1);
  return { workflows, ...(hasMore(page) && last !== undefined && { next: last.name }) };
}

/** Lets two writers of one name take turns. */
export const lockWorkflowName = (em: EntityManager, projectId: string, name: string): Promise<unknown[]> =>
  rowsOf(em, sql`select pg_advisory_xact_lock(hashtextextended(${`${projectId}/${name}`}, 4766))`);
