import type { Command } from 'commander';
import type { ReadOptions } from './list.ts';
import * as is from './options.ts';
import { listPlugins, switchPluginOn } from './plugin.ts';
import type { PluginManifestOptions } from './plugin-manifest.ts';
import { newPlugin, type PluginNewOptions } from './plugin-new.ts';
import { testPlugin } from './plugin-test.ts';
import type { Shell } from './shell.ts';

// Only when it is used: it brings the plugin host along, and every agent starts through here.
const loadManifest = () => import('./plugin-manifest.ts');

export function addPlugin(program: Command, shell: Shell, end: (exitCode: number) => void): void {
  const plugin = program
    .command('plugin')
    .description('Lists the plugins of a coordinator, and helps to write them.')
    .addHelpText('after', is.examples('baton plugin list', 'baton plugin new no-todo', 'baton plugin test no-todo'));
  const add = (name: string, description: string): Command =>
    is.addTargetOptions(plugin.command(name).description(description)).addOption(is.jsonOption('print JSON'));
  add('list', 'Lists the enabled plugins, what they offer and what they may do, as their manifests tell. Runs none of them.')
    .addHelpText('after', is.examples('baton plugin list', 'baton plugin list --json'))
    .action(async (options: ReadOptions) => end(await listPlugins(shell, options)));
  add('switch-on', 'Lets a plugin run again that was switched off because it misbehaved. Needs the role admin.')
    .argument('<name>', 'the name of its package, as listed')
    .addHelpText('after', is.examples('baton plugin switch-on @acme/no-todo'))
    .action(async (name: string, options: ReadOptions) => end(await switchPluginOn(shell, name, options)));
  plugin
    .command('new')
    .description('Writes a package with a validator of ten lines and its tests, which pass as they stand.')
    .argument('<name>', 'the name of the package; the validator is called the same, without its scope')
    .option('--dir <folder>', 'where to write it (default: a folder of the name)')
    .addOption(is.jsonOption('print what was written, as JSON'))
    .addHelpText('after', is.examples('baton plugin new no-todo', 'baton plugin new @acme/no-todo --dir plugins/no-todo'))
    .action(async (name: string, options: PluginNewOptions) => end(await newPlugin(shell, name, options)));
  plugin
    .command('test')
    .description('Runs the tests of a plugin, each case of `testValidator` in the real isolation. Exit code 1 where one fails.')
    .argument('[folder]', 'the folder of the plugin', '.')
    .addHelpText('after', is.examples('baton plugin test', 'baton plugin test no-todo'))
    .action(async (folder: string) => end(await testPlugin(shell, folder)));
  plugin
    .command('manifest')
    .description('Holds the `baton` field of a package.json against what the code offers. Exit code 2 where it is out of date.')
    .argument('[folder]', 'the folder of the plugin', '.')
    .option('--write', 'bring it up to date')
    .addOption(is.jsonOption('print what the code offers and what differs, as JSON'))
    .addHelpText('after', is.examples('baton plugin manifest', 'baton plugin manifest no-todo --write'))
    .action(async (folder: string, options: PluginManifestOptions) =>
      end(await (await loadManifest()).manifestPlugin(shell, folder, options)),
    );
}
