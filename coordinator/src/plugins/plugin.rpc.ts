import { CoordinatorError, type PluginView } from '@baton/protocol';
import type { PluginHost } from '@baton/sdk/plugin/host';
import type { HandlersOf } from '../call.ts';

export const pluginHandlers = (host: Pick<PluginHost, 'list' | 'switchOn'>): HandlersOf<'plugin'> => ({
  'plugin/list': () => Promise.resolve({ plugins: host.list().map(toView) }),

  'plugin/switchOn': async ({ plugin }) => {
    host.switchOn(plugin);
    const found = host.list().find(({ name }) => name === plugin);
    if (found === undefined) throw new CoordinatorError('plugin_not_found', { plugin, enabled: host.list().map(({ name }) => name) });
    return toView(found);
  },
});

const toView = ({
  name,
  version,
  validators,
  summarizers,
  permissions,
  offBecause,
}: ReturnType<PluginHost['list']>[number]): PluginView => ({
  name,
  version,
  validators,
  summarizers,
  permissions,
  state: offBecause === undefined ? 'on' : 'off',
  ...(offBecause !== undefined && { offBecause }),
});
