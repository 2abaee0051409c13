import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pluginTemplate } from './plugin/plugin-template.ts';
import { CommandError, printLine, type Shell } from './shell.ts';

export interface PluginNewOptions {
  readonly dir?: string;
  readonly json?: boolean;
}

/** As npm has it: lower case, with or without a scope. */
const packageName = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/** `baton plugin new`: a package with a validator of ten lines, its tests and its manifest. It passes its tests as it stands. */
export async function newPlugin(shell: Shell, name: string, { dir, json = false }: PluginNewOptions): Promise<number> {
  if (!packageName.test(name) || name.length > 100)
    throw new CommandError(
      `${name} is no name of a package: lower case letters, digits and -, such as no-todo or @acme/no-todo. Where it is written is said with --dir.`,
      { exitCode: 2 },
    );
  const validator = name.replace(/^@[^/]+\//, '');
  const folder = resolve(dir ?? validator);
  const found = await readdir(folder).catch(() => []);
  if (found.length > 0) throw new CommandError(`${folder} is not empty. Name another folder with --dir.`, { exitCode: 2 });

  const files = pluginTemplate({ name, validator });
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  if (json) printLine(shell.stdout, JSON.stringify({ name, folder, files: Object.keys(files) }));
  else printLine(shell.stdout, describeNext(folder, Object.keys(files)));
  return 0;
}

function describeNext(folder: string, files: readonly string[]): string {
  const shown = relative('.', folder) || '.';
  const path = shown.startsWith('..') ? shown : `./${shown}`;
  return [
    `${shown} has ${files.join(', ')}.`,
    '',
    `  npm install --prefix ${shown}    # the SDK and zod; not needed in a clone of Baton`,
    `  baton plugin test ${shown}`,
    `  baton up --plugin ${path}`,
  ].join('\n');
}
