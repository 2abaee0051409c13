import { createHash } from 'node:crypto';
import {
  type CoordinatorError,
  type FieldProblem,
  type JsonObject,
  softwareDelivery,
  type Workflow,
  type WorkflowDefinition,
} from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { SchemaChecker } from '../artifact/schema-checker.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { refuseFields } from '../refuse-fields.ts';
import { listUses, listWritten } from './gate-contents.ts';
import { findMisfits } from './misfits.ts';
import { findWorkflowProblems } from './workflow-problems.ts';
import { WorkflowEntity } from './workflow.entity.ts';
import { findNewestWorkflow, lockWorkflowName, toWorkflow } from './workflow.store.ts';

/** What the enabled plugins offer to gates. */
interface KnownValidators {
  list(): readonly { readonly validators: readonly string[]; readonly configs: Readonly<Record<string, JsonObject>> }[];
}

export interface FaultParts {
  readonly plugins: KnownValidators;
  readonly checker: Pick<SchemaChecker, 'ask'>;
}

/**
 * Why a workflow cannot be stored, as the error to refuse it with; undefined where it can. Takes its time: never to be waited for
 * inside a transaction.
 */
export async function findFault(definition: WorkflowDefinition, { plugins, checker }: FaultParts): Promise<CoordinatorError | undefined> {
  const gates = definition.phases.map(({ gate }, phase) => ({ path: `phases[${phase}].gate`, gate }));
  const offers = plugins.list();
  const configs = new Map(offers.flatMap((plugin) => Object.entries(plugin.configs)));
  const contradictions = findWorkflowProblems(definition);
  // More patterns than there may be are not even looked at.
  const problems =
    contradictions.length > 0 ? contradictions : await findMisfits(listWritten(gates, definition.artifactTypes), configs, checker);
  if (problems.length > 0) return refuseFields('workflow_invalid', problems.map(toField));

  const offered = offers.flatMap((plugin) => plugin.validators);
  const unknown = gates.flatMap(({ path: place, gate }) =>
    listUses(gate)
      .filter(({ use }) => !offered.includes(use))
      .map(({ path, use }) => ({
        path: `${place}.${path}`,
        message: `No enabled plugin offers the validator ${use}. They offer ${offered.toSorted().join(', ') || 'none'}.`,
      })),
  );
  return unknown.length === 0 ? undefined : refuseFields('validator_unknown', unknown.map(toField));
}

/** As a parameter of the call. */
const toField = ({ path, message }: FieldProblem): FieldProblem => ({ path: `definition.${path}`, message });

/** Stores a workflow that has no fault as the next version of its name, unless the newest version is the same. */
export async function storeWorkflow({ em, projectId }: Tx, definition: WorkflowDefinition): Promise<Workflow> {
  await lockWorkflowName(em, projectId, definition.name);
  const digest = createHash('sha256').update(JSON.stringify(definition)).digest('hex');
  const newest = await findNewestWorkflow(em, projectId, definition.name);
  if (newest?.digest === digest) return toWorkflow(newest);

  const workflow = em.create(WorkflowEntity, {
    id: uuidv7(),
    projectId,
    name: definition.name,
    version: (newest?.version ?? 0) + 1,
    builtIn: definition.name === softwareDelivery.name && newest === null,
    definition,
    digest,
  });
  await em.flush();
  return toWorkflow(workflow);
}

/** Makes the built-in workflow known in a project, whatever plugins are enabled. */
export const ensureBuiltInWorkflows = (db: Database, projectId: string): Promise<Workflow> =>
  transact(db, projectId, async (tx) => {
    const newest = await findNewestWorkflow(tx.em, projectId, softwareDelivery.name);
    return newest === null ? storeWorkflow(tx, softwareDelivery) : toWorkflow(newest);
  });
