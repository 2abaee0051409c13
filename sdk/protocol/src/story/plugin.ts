import type { PluginView } from '../plugin.ts';

/** The criteria of gates are a plugin like any other. */
export const criteriaPlugin: PluginView = {
  name: '@baton/plugin-criteria',
  version: '0.1.0',
  validators: ['criteria'],
  summarizers: [],
  permissions: [],
  state: 'on',
};
