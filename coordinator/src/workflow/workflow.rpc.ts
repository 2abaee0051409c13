import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { findFault, type FaultParts, storeWorkflow } from './workflow.service.ts';
import { getWorkflowByName, listNewestWorkflows, toWorkflow } from './workflow.store.ts';

export const workflowHandlers = (db: Database, parts: FaultParts): HandlersOf<'workflow'> => ({
  'workflow/put': async (params, call) => {
    const fault = await findFault(params.definition, parts);
    return write(db, call, params, (tx) => {
      if (fault !== undefined) throw fault;
      return storeWorkflow(tx, params.definition);
    });
  },
  'workflow/get': async (params, { em, caller }) => toWorkflow(await getWorkflowByName(em, caller.projectId, params)),
  'workflow/list': async (query, { em, caller }) => {
    const { workflows, ...page } = await listNewestWorkflows(em, { ...query, projectId: caller.projectId });
    return { workflows: workflows.map(toWorkflow), ...page };
  },
});
