import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { type KnownValidators, putWorkflow } from './workflow.service.ts';
import { getWorkflowByName, listNewestWorkflows, toWorkflow } from './workflow.store.ts';

export const workflowHandlers = (db: Database, validators: KnownValidators): HandlersOf<'workflow'> => ({
  'workflow/put': (params, call) => write(db, call, params, (tx) => putWorkflow(tx, params.definition, validators)),
  'workflow/get': async (params, { em, caller }) => toWorkflow(await getWorkflowByName(em, caller.projectId, params)),
  'workflow/list': async (_params, { em, caller }) => ({ workflows: (await listNewestWorkflows(em, caller.projectId)).map(toWorkflow) }),
});
