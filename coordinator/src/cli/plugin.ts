import { printList, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton plugin list`: the enabled plugins of a coordinator, as their manifests tell. None of them is run for it. */
export async function listPlugins(shell: Shell, options: ReadOptions): Promise<number> {
  const { plugins: list } = await ask(await findTarget(options, shell.env), (client) => client.plugin.list());
  return printList(shell, options, {
    list,
    head: ['NAME', 'VERSION', 'VALIDATORS', 'SUMMARIZERS', 'PERMISSIONS', 'STATE'],
    row: ({ name, version, validators, summarizers, permissions, state, offBecause }) => [
      name,
      version,
      validators.join(', '),
      summarizers.join(', '),
      permissions.join(', '),
      offBecause === undefined ? state : `${state}: ${offBecause}`,
    ],
    none: 'No plugin is enabled.',
  });
}

/** `baton plugin switch-on`: lets a plugin run again that misbehaved three times in a row. */
export async function switchPluginOn(shell: Shell, name: string, { json = false, ...options }: ReadOptions): Promise<number> {
  const plugin = await ask(await findTarget(options, shell.env), (client) => client.plugin.switchOn({ plugin: name }));
  printLine(shell.stdout, json ? JSON.stringify(plugin) : `${plugin.name} is ${plugin.state}.`);
  return 0;
}
