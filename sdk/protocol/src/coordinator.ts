import { z } from 'zod';
import { role } from './access.ts';
import { method, readParams } from './define.ts';
import { jsonObject, name } from './values.ts';

export const durability = z
  .object({
    store: z.enum(['postgresql', 'embedded']),
    survivesProcessCrash: z.boolean().describe("The end of the coordinator's process, however sudden."),
    survivesPowerLoss: z
      .enum(['yes', 'no', 'depends'])
      .describe("The loss of the machine's power. `depends` is for the database server's own settings to say."),
    explanation: z.string(),
  })
  .meta({ id: 'Durability', description: 'What an acknowledged write survives.' });
export type Durability = z.infer<typeof durability>;

export const coordinatorMethods = {
  'coordinator/info': method({
    summary: 'Tells which coordinator this is, what its store survives, and who is asking.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({}),
    result: z.object({
      name: z.literal('baton'),
      version: z.string(),
      durability,
      uptimeMs: z.number(),
      project: name.describe('That the token speaks for.'),
      role,
    }),
    errors: [],
    example: {
      params: {},
      result: {
        name: 'baton',
        version: '0.1.0',
        durability: {
          store: 'postgresql',
          survivesProcessCrash: true,
          survivesPowerLoss: 'depends',
          explanation: 'PostgreSQL with fsync and synchronous_commit.',
        },
        uptimeMs: 86_400_000,
        project: 'default',
        role: 'admin',
      },
    },
  }),
  'rpc.discover': method({
    summary: 'Returns the OpenRPC document of this coordinator.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({}),
    result: jsonObject,
    errors: [],
    example: { params: {}, result: { openrpc: '1.3.2', info: { title: 'Baton' }, methods: [], components: {} } },
  }),
};
