import { createHash } from 'node:crypto';
import { CoordinatorError, softwareDelivery, type Workflow, type WorkflowDefinition } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { findWorkflowProblems } from './workflow-rules.ts';
import { WorkflowEntity } from './workflow.entity.ts';
import { findNewestWorkflow, lockWorkflowName, toWorkflow } from './workflow.store.ts';

/** Which validators the enabled plugins offer. */
export interface KnownValidators {
  list(): readonly { readonly validators: readonly string[] }[];
}

/** Stores a workflow as the next version of its name, unless the newest version is the same. */
export async function putWorkflow({ em, projectId }: Tx, definition: WorkflowDefinition, validators: KnownValidators): Promise<Workflow> {
  const problems = findWorkflowProblems(definition);
  if (problems.length > 0) throw new CoordinatorError('workflow_invalid', { fields: problems });
  refuseUnknownValidators(definition, validators);

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

function refuseUnknownValidators({ phases }: WorkflowDefinition, validators: KnownValidators): void {
  const offered = validators.list().flatMap((plugin) => plugin.validators);
  const unknown = phases.flatMap(({ gate }, phase) =>
    (gate?.validators ?? []).flatMap(({ use }, index) =>
      offered.includes(use)
        ? []
        : [
            {
              path: `definition.phases[${phase}].gate.validators[${index}].use`,
              message: `No enabled plugin offers the validator ${use}. They offer ${offered.toSorted().join(', ') || 'none'}.`,
            },
          ],
    ),
  );
  if (unknown.length > 0) throw new CoordinatorError('validator_unknown', { fields: unknown });
}

/** Makes the built-in workflow known in a project. */
export const ensureBuiltInWorkflows = (db: Database, projectId: string, validators: KnownValidators): Promise<Workflow> =>
  transact(db, projectId, async (tx) => {
    const newest = await findNewestWorkflow(tx.em, projectId, softwareDelivery.name);
    return newest === null ? putWorkflow(tx, softwareDelivery, validators) : toWorkflow(newest);
  });
