import type { Command } from 'commander';
import type { ReadOptions } from './list.ts';
import * as is from './options.ts';
import { createProject, listProjects } from './project.ts';
import type { Shell } from './shell.ts';
import { createToken, listTokens, revokeToken, type TokenCreateOptions, type TokenListOptions } from './token.ts';

/** Takes the exit code of a command. */
type End = (exitCode: number) => void;

export function addToken(program: Command, shell: Shell, end: End): void {
  const token = program
    .command('token')
    .description(
      'Makes, lists and revokes tokens. Each speaks for one role in one project; what roles may do is in docs/reference/access.md.',
    )
    .addHelpText(
      'after',
      is.examples('baton token create ci --role agent --expires 30d', 'baton token list', 'baton token revoke 01997a3e-…'),
    );
  const add = (name: string, description: string): Command =>
    is.addTargetOptions(token.command(name).description(description)).addOption(is.jsonOption('print JSON'));
  add('create', 'Makes a token and prints it, this once: only its hash is kept.')
    .argument('<name>', 'what or who it is for')
    .addOption(is.roleOption())
    .option('--project <name>', 'the project that it speaks for (default: that of the token used)')
    .option('--expires <duration>', 'how long it is accepted, such as 90d, 12h or 30m (default: until it is revoked)', is.parseDuration)
    .option('--out <file>', 'write the token into this file, for its owner alone, instead of printing it')
    .addHelpText(
      'after',
      is.examples(
        'baton token create ci --role agent --expires 30d --out ci.token',
        'baton token create board --role viewer --project shop',
      ),
    )
    .action(async (name: string, options: TokenCreateOptions) => end(await createToken(shell, name, options)));
  add('list', 'Lists the tokens of a project, those that are over too. Secrets are not among it.')
    .option('--project <name>', 'another project than that of the token used')
    .addHelpText('after', is.examples('baton token list', 'baton token list --project shop --json'))
    .action(async (options: TokenListOptions) => end(await listTokens(shell, options)));
  add('revoke', 'Revokes a token for good. Its connections are closed within seconds.')
    .argument('<id>', 'the id of the token, as listed')
    .addHelpText('after', is.examples('baton token revoke 01997a3e-…'))
    .action(async (id: string, options: TokenListOptions) => end(await revokeToken(shell, id, options)));
}

export function addProject(program: Command, shell: Shell, end: End): void {
  const project = program.command('project').description('Makes and lists projects. What is in one is not to be seen from another.');
  const add = (name: string, description: string): Command =>
    is.addTargetOptions(project.command(name).description(description)).addOption(is.jsonOption('print JSON'));
  add('create', 'Makes a project. Only an admin of the project default may.')
    .argument('<name>', 'its name')
    .addHelpText('after', is.examples('baton project create shop'))
    .action(async (name: string, options: ReadOptions) => end(await createProject(shell, name, options)));
  add('list', 'Lists the projects that the token may see.')
    .addHelpText('after', is.examples('baton project list'))
    .action(async (options: ReadOptions) => end(await listProjects(shell, options)));
}
