import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { createProject, looksAfterAll, toProject } from './project.service.ts';
import { listProjects } from './project.store.ts';
import { readProjectStatus } from './project-status.store.ts';

export const projectHandlers = (db: Database): HandlersOf<'project'> => ({
  'project/create': (params, call) => write(db, call, params, (tx) => createProject(tx, call.caller, params.name)),
  'project/list': async (_params, { em, caller }) => ({
    projects: (await listProjects(em, looksAfterAll(caller) ? undefined : caller.projectId)).map(toProject),
  }),
  'project/status': (_params, { em, caller }) => readProjectStatus(em, caller.projectId),
});
