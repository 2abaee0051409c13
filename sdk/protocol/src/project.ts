import { z } from 'zod';
import { method, readParams, writeParams } from './define.ts';
import { at, ids } from './story/cast.ts';
import { id, name, timestamp } from './values.ts';

export const project = z
  .object({ id, name, createdAt: timestamp })
  .meta({ id: 'Project', description: 'A tenant: every row belongs to one, and a token speaks for one.' });
export type Project = z.infer<typeof project>;

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
};
