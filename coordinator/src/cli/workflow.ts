import { writeFile } from 'node:fs/promises';
import type { WorkflowDefinition } from '@baton/protocol';
import { collectPages, printList, type ReadOptions } from './list.ts';
import { type Offered, readOffered } from './plan/read-offered.ts';
import { readSettings } from './read-settings.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';
import { checkWorkflow, toWorkflowJsonSchema } from './workflow/check-workflow.ts';
import { toDot, toMermaidGraph } from './workflow/workflow-graph.ts';
import { printProblems } from './yaml/print-problems.ts';
import { readText } from './yaml/read-text.ts';
import { readYamlDocument } from './yaml/yaml-document.ts';

export interface WorkflowFileOptions {
  readonly plugin?: readonly string[];
  readonly json?: boolean;
}

/**
 * `baton workflow check`: finds every mistake in a workflow, and stores nothing. Asks no coordinator, and says what it takes for
 * offered there.
 */
export async function workflowCheck(shell: Shell, file: string, { json = false, ...options }: WorkflowFileOptions): Promise<number> {
  const { plugins } = readSettings(options, shell.env);
  const offered = await readOffered(plugins);
  const { validators } = offered;
  const workflow = await loadWorkflow(shell, file, { json, offered });
  if (workflow === undefined) return 2;
  printLine(
    shell.stdout,
    json ? JSON.stringify({ file, problems: [], validators }) : `${file} has no mistakes.\n${describeOffered(validators)}`,
  );
  return 0;
}

const describeOffered = (validators: readonly string[]): string =>
  `No coordinator was asked: its plugins are taken to offer ${validators.join(', ') || 'no validators'}.`;

/** `baton workflow put`: stores a workflow as the next version of its name. */
export async function workflowPut(shell: Shell, file: string, { json = false, ...options }: ReadOptions): Promise<number> {
  // The coordinator knows its own plugins.
  const definition = await loadWorkflow(shell, file, { json, offered: undefined });
  if (definition === undefined) return 2;
  const stored = await ask(await findTarget(options, shell.env), (client) => client.workflow.put({ definition }));
  printLine(
    shell.stdout,
    json
      ? JSON.stringify(stored)
      : `${stored.name} is stored as version ${stored.version}. Tickets that began with an earlier one keep it.`,
  );
  return 0;
}

/** `baton workflow list`: the newest version of each workflow. */
export async function workflowList(shell: Shell, options: ReadOptions): Promise<number> {
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { workflows, next } = await client.workflow.list(page);
      return { items: workflows, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['NAME', 'VERSION', 'PHASES', 'CREATED'],
    row: ({ name, version, definition, createdAt }) => [name, version, definition.phases.map((phase) => phase.name).join(' '), createdAt],
    none: 'There are no workflows.',
  });
}

export interface GraphOptions extends ReadOptions {
  /** The file for a picture; without one a mermaid diagram is printed. */
  readonly svg?: string;
}

/** `baton workflow graph`: a workflow as a picture. Of a file where there is one of that name, else of the coordinator. */
export async function workflowGraph(shell: Shell, nameOrFile: string, { svg, json = false, ...options }: GraphOptions): Promise<number> {
  const definition = /\.ya?ml$/.test(nameOrFile)
    ? await loadWorkflow(shell, nameOrFile, { json, offered: undefined })
    : (await ask(await findTarget(options, shell.env), (client) => client.workflow.get({ name: nameOrFile }))).definition;
  if (definition === undefined) return 2;
  if (svg === undefined)
    printLine(shell.stdout, json ? JSON.stringify({ mermaid: toMermaidGraph(definition) }) : toMermaidGraph(definition));
  else {
    await writeSvg(svg, definition);
    printLine(shell.stdout, json ? JSON.stringify({ svg }) : svg);
  }
  return 0;
}

async function writeSvg(file: string, definition: WorkflowDefinition): Promise<void> {
  // Graphviz as WebAssembly: loaded only for those who want a picture.
  const { instance } = await import('@viz-js/viz');
  const picture = (await instance()).renderString(toDot(definition), { format: 'svg' });
  await writeFile(file, picture).catch((cause: unknown) => {
    throw new CommandError(`${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}

/** `baton workflow schema`: the JSON schema of a workflow, for editors. */
export function workflowSchema(shell: Shell): number {
  printLine(shell.stdout, JSON.stringify(toWorkflowJsonSchema(), undefined, 2));
  return 0;
}

/** Reads and checks a workflow. Its mistakes are printed, and undefined is returned. */
async function loadWorkflow(
  shell: Shell,
  file: string,
  { json, offered }: { readonly json: boolean; readonly offered: Offered | undefined },
): Promise<WorkflowDefinition | undefined> {
  const text = await readText(file, { what: 'a workflow', usualName: 'workflow.yaml' });
  const { workflow, problems } = await checkWorkflow(readYamlDocument(text, file), offered);
  if (workflow !== undefined) return workflow;
  const validators = offered?.validators;
  if (json) printLine(shell.stdout, JSON.stringify({ file, problems, validators }));
  else {
    printProblems(shell, { file, problems });
    if (validators !== undefined) printLine(shell.stderr, describeOffered(validators));
  }
  return undefined;
}
