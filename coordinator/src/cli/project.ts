import { printList, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton project create`: a project with the built-in workflow and nothing else in it, not even a token. */
export async function createProject(shell: Shell, name: string, { json = false, ...options }: ReadOptions): Promise<number> {
  const project = await ask(await findTarget(options, shell.env), (client) => client.project.create({ name }));
  const next = `Make its first token: baton token create NAME --role admin --project ${JSON.stringify(name)}`;
  printLine(shell.stdout, json ? JSON.stringify(project) : `The project ${project.name} is there. ${next}`);
  return 0;
}

/** `baton project list`: the projects that the token may see. */
export async function listProjects(shell: Shell, options: ReadOptions): Promise<number> {
  const { projects: list } = await ask(await findTarget(options, shell.env), (client) => client.project.list());
  return printList(shell, options, {
    list,
    head: ['NAME', 'CREATED', 'ID'],
    row: ({ id, name, createdAt }) => [name, createdAt, id],
    none: 'There are no projects.',
  });
}
