import { z } from 'zod';
import { method, readParams, writeParams } from './define.ts';
import { at, ids } from './story/cast.ts';
import { id, name, timestamp } from './values.ts';

export const project = z
  .object({ id, name, createdAt: timestamp })
  .meta({ id: 'Project', description: 'A tenant: every row belongs to one, and a token speaks for one.' });
export type Project = z.infer<typeof project>;

const projectStatus = z
  .object({
    agents: z.int().describe('Those that are neither lost nor terminated.'),
    tickets: z.object({ open: z.int(), blocked: z.int() }),
    tasks: z.object({ blocked: z.int(), ready: z.int(), running: z.int() }),
  })
  .meta({ id: 'ProjectStatus', description: 'How much there is to do in a project. What is over is not counted.' });
export type ProjectStatus = z.infer<typeof projectStatus>;

export const projectMethods = {
  'project/create': method({
    summary: 'Creates a project.',
    access: 'administer',
    session: false,
    idempotent: false,
    params: writeParams({ name }),
    result: project,
    errors: ['project_exists'],
    example: { params: { name: 'shop' }, result: { id: ids.shopProject, name: 'shop', createdAt: at('09:00:00') } },
  }),
  'project/list': method({
    summary: 'Lists the projects this token may see, by name.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({}),
    result: z.object({ projects: z.array(project) }),
    errors: [],
    example: {
      params: {},
      result: {
        projects: [
          { id: ids.defaultProject, name: 'default', createdAt: at('08:00:00') },
          { id: ids.shopProject, name: 'shop', createdAt: at('09:00:00') },
        ],
      },
    },
  }),
  'project/status': method({
    summary: 'Counts the agents, the open tickets and the open tasks of the project that the token speaks for.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({}),
    result: projectStatus,
    errors: [],
    example: {
      params: {},
      result: { agents: 1, tickets: { open: 1, blocked: 0 }, tasks: { blocked: 1, ready: 3, running: 0 } },
    },
  }),
};
