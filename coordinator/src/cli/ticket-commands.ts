import { priorities } from '@baton/protocol';
import { type Command, Option } from 'commander';
import { artifact, type ArtifactListOptions, type ArtifactOptions, artifacts } from './artifacts.ts';
import { approvals, type ApprovalListOptions, decide, type DecisionOptions } from './approvals.ts';
import type { ReadOptions } from './list.ts';
import * as is from './options.ts';
import type { Shell } from './shell.ts';
import {
  blockTicket,
  cancelTicket,
  createTicket,
  moveTicket,
  type ReasonOptions,
  type TicketCreateOptions,
  type TicketMoveOptions,
  unblockTicket,
} from './ticket.ts';
import { showTicket } from './ticket-show.ts';
import {
  type GraphOptions,
  workflowCheck,
  type WorkflowFileOptions,
  workflowGraph,
  workflowList,
  workflowPut,
  workflowSchema,
} from './workflow.ts';

/** Takes the exit code of a command. */
type End = (exitCode: number) => void;

const ticketId = '<ticket>';
const idHelp = 'the id of the ticket, as listed by `baton tickets`';
const reasonOption = () => new Option('--reason <text>', 'why; kept in the history').makeOptionMandatory();

export function addTicket(program: Command, shell: Shell, end: End): void {
  const ticket = program.command('ticket').description('Creates, shows and moves tickets.');
  const add = (name: string, description: string, ...lines: readonly string[]): Command =>
    is
      .addTargetOptions(ticket.command(name).description(description))
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(...lines.map((line) => `baton ticket ${name} ${line}`)));
  add('create', 'Creates a ticket in the first phase of a workflow.', '"Sign-in fails" --priority HIGH')
    .argument('<title>', 'what it is about')
    .option('--description <text>', 'more about it')
    .addOption(new Option('--priority <priority>', 'of its tasks, where they do not say another (default: MEDIUM)').choices(priorities))
    .option('--workflow <name>', 'the way it takes (default: software-delivery)')
    .option('--metadata <json>', 'what else is known of it, which templates of its workflow may name', is.parseObject)
    .action(async (title: string, options: TicketCreateOptions) => end(await createTicket(shell, title, options)));
  add('show', 'Shows where a ticket stands, how it came there, what was decided, and what its gate lacks.', '01997a3e-…')
    .argument(ticketId, idHelp)
    .action(async (id: string, options: ReadOptions) => end(await showTicket(shell, id, options)));
  add('move', 'Moves a ticket along an edge of its workflow. A forward edge passes the gate.', '01997a3e-… TESTING --reason "It builds."')
    .argument(ticketId, idHelp)
    .argument('<phase>', 'where to')
    .option('--reason <text>', 'why; kept in the history')
    .option('--force', 'past the gate; needs the role admin and a reason')
    .option('--visit <number>', 'only if the ticket is still in this visit, as ticket show tells it', is.parseCount)
    .action(async (id: string, phase: string, options: TicketMoveOptions) => end(await moveTicket(shell, [id, phase], options)));
  add('block', 'Moves a ticket to where blocked tickets wait.', '01997a3e-… --reason "The server is away."')
    .argument(ticketId, idHelp)
    .addOption(reasonOption())
    .action(async (id: string, options: ReasonOptions) => end(await blockTicket(shell, id, options)));
  add('unblock', 'Moves a blocked ticket back to the phase it was blocked in.', '01997a3e-…')
    .argument(ticketId, idHelp)
    .option('--reason <text>', 'why; kept in the history')
    .action(async (id: string, options: ReadOptions & { readonly reason?: string }) => end(await unblockTicket(shell, id, options)));
  add('cancel', 'Ends a ticket where it stands, for good.', '01997a3e-… --reason "Reported twice."')
    .argument(ticketId, idHelp)
    .addOption(reasonOption())
    .action(async (id: string, options: ReasonOptions) => end(await cancelTicket(shell, id, options)));
}

export function addApprovals(program: Command, shell: Shell, end: End): void {
  const add = (name: string, description: string, ...lines: readonly string[]): Command =>
    is
      .addTargetOptions(program.command(name).description(description))
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(...lines.map((line) => `baton ${name}${line}`)));
  const argument = ['<approval>', 'the id of the approval, as listed by `baton approvals`'] as const;
  add('approvals', 'Lists what waits for somebody to decide, the oldest first.', '', ' --ticket 01997a3e-… --all')
    .option('--ticket <id>', 'only those of this ticket')
    .option('--all', 'also those that are decided, expired or cancelled')
    .action(async (options: ApprovalListOptions) => end(await approvals(shell, options)));
  add('approve', 'Approves what a gate asks about.', ' 01997a3e-… --comment "Read it line by line."')
    .argument(...argument)
    .option('--comment <text>', 'kept with the decision')
    .action(async (id: string, options: DecisionOptions) => end(await decide(shell, [id, 'approve'], options)));
  add('reject', 'Refuses what a gate asks about.', ' 01997a3e-… --comment "The numbers are old."')
    .argument(...argument)
    .addOption(new Option('--comment <text>', 'what would have to change').makeOptionMandatory())
    .action(async (id: string, options: DecisionOptions) => end(await decide(shell, [id, 'refuse'], options)));
}

export function addArtifacts(program: Command, shell: Shell, end: End): void {
  const add = (name: string, description: string, ...lines: readonly string[]): Command =>
    is
      .addTargetOptions(program.command(name).description(description))
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(...lines.map((line) => `baton ${name} ${line}`)));
  add('artifacts', 'Lists the evidence of a ticket, oldest first.', '01997a3e-… --current')
    .argument(ticketId, idHelp)
    .option('--current', 'only what the gate of the current phase judges')
    .action(async (id: string, options: ArtifactListOptions) => end(await artifacts(shell, id, options)));
  add('artifact', 'Prints the content of an artifact. What lies elsewhere is held against its digest.', '01997a3e-… --out log.txt')
    .argument('<artifact>', 'the id of the artifact, as listed by `baton artifacts`')
    .option('--out <file>', 'write it into this file')
    .action(async (id: string, options: ArtifactOptions) => end(await artifact(shell, id, options)));
}

export function addWorkflow(program: Command, shell: Shell, end: End): void {
  const workflow = program
    .command('workflow')
    .description('Checks, stores, lists and draws workflows.')
    .addHelpText('after', is.examples('baton workflow check workflow.yaml', 'baton workflow graph software-delivery --svg way.svg'));
  workflow
    .command('check')
    .description('Finds every mistake of a workflow, with its line and column. Exit code 2 where there is one.')
    .argument('<file>', 'the workflow, a YAML file')
    .addOption(is.pluginOption())
    .addOption(is.jsonOption('print the mistakes as JSON'))
    .addHelpText('after', is.examples('baton workflow check workflow.yaml', 'baton workflow check workflow.yaml --plugin ./no-todo'))
    .action(async (file: string, options: WorkflowFileOptions) => end(await workflowCheck(shell, file, options)));
  workflow
    .command('schema')
    .description('Prints the JSON schema of a workflow, for completion in editors.')
    .addHelpText('after', is.examples('baton workflow schema > workflow.schema.json'))
    .action(() => end(workflowSchema(shell)));
  const add = (name: string, description: string, ...lines: readonly string[]): Command =>
    is
      .addTargetOptions(workflow.command(name).description(description))
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(...lines.map((line) => `baton workflow ${name}${line}`)));
  add('put', 'Stores a workflow as the next version of its name.', ' workflow.yaml')
    .argument('<file>', 'the workflow, a YAML file')
    .action(async (file: string, options: ReadOptions) => end(await workflowPut(shell, file, options)));
  add('list', 'Lists the newest version of each workflow.', '').action(async (options: ReadOptions) =>
    end(await workflowList(shell, options)),
  );
  add('graph', 'Draws a workflow: as a mermaid diagram, or as an SVG picture.', ' software-delivery', ' workflow.yaml --svg way.svg')
    .argument('<name>', 'a workflow of the coordinator, or a YAML file')
    .option('--svg <file>', 'write a picture into this file')
    .action(async (name: string, options: GraphOptions) => end(await workflowGraph(shell, name, options)));
}
