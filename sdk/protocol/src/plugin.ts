import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { criteriaPlugin } from './story/plugin.ts';

export const plugin = z
  .object({
    name: z.string().describe("The package's name."),
    version: z.string(),
    validators: z.array(z.string()).describe('What gates may use.'),
    summarizers: z.array(z.string()),
    permissions: z.array(z.string()).describe('What it may do beside looking at what it is given: `programs` is to run programs.'),
    state: z.enum(['on', 'off']).describe('A plugin that misbehaves three times in a row is switched off.'),
    offBecause: z.string().optional(),
  })
  .meta({ id: 'Plugin', description: 'A plugin that this coordinator was started with, as its manifest tells.' });
export type PluginView = z.infer<typeof plugin>;

export const pluginMethods = {
  'plugin/list': method({
    summary: 'Lists the enabled plugins of this coordinator and what they offer. Runs none of them.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({}),
    result: z.object({ plugins: z.array(plugin) }),
    errors: [],
    example: { params: {}, result: { plugins: [criteriaPlugin] } },
  }),
  'plugin/switchOn': method({
    summary: 'Lets a plugin that was switched off run again, in this coordinator.',
    access: 'administer',
    session: false,
    idempotent: true,
    params: writeParams({ plugin: z.string().min(1).max(214).describe("The package's name.") }),
    result: plugin,
    errors: ['plugin_not_found'],
    example: { params: { plugin: '@baton/plugin-criteria' }, result: criteriaPlugin },
  }),
};

export const pluginEvents = {
  'plugin.switchedOff': event({
    summary:
      'A plugin misbehaved three times in a row in one coordinator; there its validators are errors until an admin switches it on again.',
    data: z.object({ plugin: z.string(), reason: z.string() }),
  }),
};
