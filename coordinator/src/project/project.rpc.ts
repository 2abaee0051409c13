import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import type { KnownValidators } from '../workflow/workflow.service.ts';
import { createProject, looksAfterAll, toProject } from './project.service.ts';
import { listProjects } from './project.store.ts';

export const projectHandlers = (db: Database, validators: KnownValidators): HandlersOf<'project'> => ({
  'project/create': (params, call) =>
    write(db, call, params, (tx) => createProject(tx, { caller: call.caller, name: params.name, validators })),
  'project/list': async (_params, { em, caller }) => ({
    projects: (await listProjects(em, looksAfterAll(caller) ? undefined : caller.projectId)).map(toProject),
  }),
});
