import { taskMachine } from '@baton/protocol';
import { Command, CommanderError, Option } from 'commander';
import { addAgents } from './add-agents.ts';
import { addProject, addToken } from './access-commands.ts';
import { type AgentCommandOptions, runAgentCommand } from './agent.ts';
import { cancel, type CancelOptions, retry, type RetryOptions } from './change-tasks.ts';
import type { ConformanceOptions } from './conformance.ts';
import { doorNames } from './conformance/conversation.ts';
import { addContext } from './context.ts';
import { deadLetters } from './dead-letters.ts';
import { explain } from './explain.ts';
import { defineLock, type DefineLockOptions, locks } from './locks.ts';
import * as is from './options.ts';
import { type PlanCheckOptions, planCheck, planSchemaCommand } from './plan.ts';
import { answerForModules, describeCommand } from './plan/describe-modules.ts';
import { addPlugin } from './plugin-commands.ts';
import type { RunOptions } from './run.ts';
import { keepCommand, keepProgram } from './run/keep-program.ts';
import type { ReadOptions } from './list.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { status } from './status.ts';
import { tasks } from './tasks.ts';
import { addApprovals, addArtifacts, addTicket, addWorkflow } from './ticket-commands.ts';
import { tickets } from './tickets.ts';
import { version } from '../version.ts';
import type { UpOptions } from './up.ts';

/** Runs the `baton` command with these arguments and answers its exit code: 1 for a failure, 2 for wrong usage. */
export async function runProgram(shell: Shell, args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram(shell, (code) => {
    exitCode = code;
  });
  try {
    const [first = ''] = args;
    // Help with a command that is not there would be that of `baton` itself.
    const isUnknown = /^\w/.test(first) && first !== 'help' && !program.commands.some((command) => command.name() === first);
    await program.parseAsync(isUnknown ? [first] : [...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said already what was wrong. Only help that was asked for ends well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    printLine(shell.stderr, error instanceof Error ? error.message : String(error));
    return error instanceof CommandError ? error.exitCode : 1;
  }
}

// Only when they are used: they bring the whole coordinator with its database along, and every agent starts through here.
const loadUp = () => import('./up.ts');
const loadRun = () => import('./run.ts');
const loadConformance = () => import('./conformance.ts');

/** Takes the exit code of a command. */
type End = (exitCode: number) => void;

function createProgram(shell: Shell, end: End): Command {
  const program = new Command('baton')
    .description('Coordinates teams of software agents: tickets, phases, tasks, locks, gates and context.')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void shell.stdout.write(text), writeErr: (text) => void shell.stderr.write(text) })
    .showHelpAfterError('(`baton help COMMAND` tells more.)')
    .addHelpText('after', is.examples('baton up', 'baton run plan.yaml', 'baton agent ./agents/tester.ts', 'baton status'));
  addUp(program, shell, end);
  addRun(program, shell, end);
  addPlan(program, shell, end);
  addAgent(program, shell, end);
  addReads(program, shell, end);
  addExplain(program, shell, end);
  addTaskChanges(program, shell, end);
  addTicket(program, shell, end);
  addApprovals(program, shell, end);
  addArtifacts(program, shell, end);
  addContext(program, shell, end);
  addWorkflow(program, shell, end);
  addPlugin(program, shell, end);
  addToken(program, shell, end);
  addProject(program, shell, end);
  addConformance(program, shell, end);
  program.command(describeCommand, { hidden: true }).action(() => answerForModules(process));
  program
    .command(keepCommand, { hidden: true })
    .argument('<program...>')
    .option('--cwd <dir>')
    .action(async ([name = '', ...args]: readonly string[], options: { readonly cwd?: string }) =>
      end(await keepProgram(process, [name, ...args], options)),
    );
  return program;
}

function addUp(program: Command, shell: Shell, end: End): void {
  program
    .command('up')
    .description('Runs a coordinator until it is stopped. Its store is embedded in the data folder, or a PostgreSQL database.')
    .addOption(is.portOption('4766'))
    .option('--host <address>', 'the address to listen at (default: 127.0.0.1); one that others can reach needs TLS')
    .option('--tls-cert <file>', 'the certificate, PEM: the doors are wss and https')
    .option('--tls-key <file>', 'the key of the certificate, PEM')
    .option('--public-host <name>', 'a name under which callers reach it, beside those in the certificate; may be repeated', is.collect)
    .addOption(is.dataOption())
    .addOption(is.databaseOption())
    .addOption(is.pluginOption())
    .addOption(is.logLevelOption('warn, and info with --json'))
    .addOption(is.jsonOption('print one line of JSON when it is ready: url, httpUrl, tokenFile, pid, dataDir, durability'))
    .addHelpText(
      'after',
      is.examples(
        'baton up',
        'baton up --plugin ./no-todo',
        'baton up --port 0 --json',
        'baton up --database-url postgres://localhost/baton',
      ),
    )
    .action(async (options: UpOptions) => end(await (await loadUp()).up(shell, options)));
}

function addRun(program: Command, shell: Shell, end: End): void {
  is.addTargetOptions(
    program.command('run').description('Takes the ticket of a plan through its phases with a team of agents, and follows it to the end.'),
  )
    .argument('<plan>', 'the plan, a YAML file')
    .option('--project <dir>', 'work on a copy of this folder instead of the one that the plan names')
    .option('--resume', 'go on with the newest run of this plan, after an end that was not its own')
    .option('--report <file>', 'write what the run came to into this file, as JSON')
    .addOption(is.jsonOption('print the report on standard output, and what happens on standard error'))
    .option('--plain', 'a line for each event, also on a terminal')
    .addOption(is.portOption('a free one'))
    .addOption(is.databaseOption())
    .addOption(is.pluginOption())
    .addOption(is.logLevelOption('error, and warn for the agents'))
    .addHelpText(
      'after',
      `\nExit codes: 0 the ticket is done, 1 it is blocked or nobody can go on with it, 2 the plan is wrong, 130 interrupted.\n`,
    )
    .addHelpText(
      'after',
      is.examples(
        'baton run plan.yaml',
        'baton run plan.yaml --project ../my-library --report report.json',
        'baton run plan.yaml --resume',
        'baton run plan.yaml --url http://127.0.0.1:4766',
      ),
    )
    .action(async (file: string, options: RunOptions) => end(await (await loadRun()).run(shell, file, options)));
}

function addPlan(program: Command, shell: Shell, end: End): void {
  const plan = program
    .command('plan')
    .description('Checks plans, and describes them to editors.')
    .addHelpText('after', is.examples('baton plan check plan.yaml', 'baton plan schema > plan.schema.json'));
  plan
    .command('check')
    .description('Finds every mistake of a plan, with its line and column. Starts nothing. Exit code 2 where there is one.')
    .argument('<plan>', 'the plan, a YAML file')
    .addOption(is.pluginOption())
    .addOption(is.jsonOption('print the mistakes as JSON'))
    .addHelpText('after', is.examples('baton plan check plan.yaml'))
    .action(async (file: string, options: PlanCheckOptions) => end(await planCheck(shell, file, options)));
  plan
    .command('schema')
    .description('Prints the JSON schema of a plan, for completion in editors.')
    .addHelpText('after', is.examples('baton plan schema > plan.schema.json'))
    .action(() => end(planSchemaCommand(shell)));
}

function addAgent(program: Command, shell: Shell, end: End): void {
  is.addTargetOptions(
    program.command('agent').description('Runs an agent against a coordinator, until it is stopped. It finishes what it runs.'),
  )
    .argument('<module...>', 'the module of an SDK agent; with --command a program and its arguments')
    .option('--command', 'the agent is a program: the task as JSON on its standard input, the result as JSON on its standard output')
    .option('--name <name>', 'its identity, instead of the name in the module; a second agent of a name takes the place of the first')
    .option('--capabilities <list>', 'what it offers beside the types of its tasks, with commas between', is.parseList)
    .option('--capacity <count>', 'how many tasks it runs at a time', is.parseCount)
    .option('--workspace <dir>', 'the folder it works in (default: BATON_WORKSPACE)')
    .option('--cwd <dir>', 'with --command: where the program runs (default: the workspace)')
    .option('--exit-codes <json>', 'with --command: what exit codes mean, as in {"permanent":[3]}', is.parseExitCodes)
    .option('--context-tokens <count>', 'with --command: give each task the context of earlier phases within this budget', is.parseCount)
    .option('--describe', 'print what the agent of the module offers, as JSON, and run nothing')
    .addOption(is.jsonOption('print what the agent does, as lines of JSON'))
    .addHelpText(
      'after',
      is.examples(
        'baton agent ./agents/tester.ts',
        'baton agent ./agents/tester.ts --name tester-2 --capacity 4',
        'baton agent --command --name resizer --capabilities resize-image -- python3 resize.py',
      ),
    )
    .action(
      async (
        operands: readonly string[],
        { command = false, ...options }: Omit<AgentCommandOptions, 'command' | 'module'> & { readonly command?: boolean },
      ) => {
        const [module, ...rest] = operands;
        if (!command && rest.length > 0)
          throw new CommandError(`One module at a time: what is ${rest.join(' ')}? A program needs --command.`, { exitCode: 2 });
        end(await runAgentCommand(shell, { ...options, ...(command ? { command: operands } : { module }) }));
      },
    );
}

function addReads(program: Command, shell: Shell, end: End): void {
  const add = (name: string, description: string, ...lines: readonly string[]): Command =>
    is
      .addTargetOptions(program.command(name).description(description))
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(`baton ${name}`, ...lines));
  add('status', 'Tells which coordinator this is, what its store survives, and how much there is to do.', 'baton status --json').action(
    async (options) => end(await status(shell, options)),
  );
  add('tickets', 'Lists the tickets, newest first.', 'baton tickets --url http://127.0.0.1:4766').action(async (options) =>
    end(await tickets(shell, options)),
  );
  addAgents(program, shell, end);
  add('tasks', 'Lists tasks in the order of their submission.', 'baton tasks --state ready,running', `baton tasks --ticket ${is.exampleId}`)
    .option('--ticket <id>', 'only those of this ticket')
    .option('--state <list>', `only those in these states, with commas between: ${taskMachine.states.join(', ')}`, is.parseTaskStates)
    .action(async (options) => end(await tasks(shell, options)));
  add('dead-letters', 'Lists the tasks that have failed for good, the newest first, and why.', 'baton dead-letters --code timed_out')
    .option('--ticket <id>', 'only those of this ticket')
    .option('--code <code>', 'only those whose last error has this code')
    .action(async (options) => end(await deadLetters(shell, options)));
  const locksCommand = add(
    'locks',
    'Lists the locks that are held, and who waits for them.',
    'baton locks --json',
    'baton locks define pool:gpu --places 4',
  )
    .option('--all', 'the keys with several places too that nobody holds or waits for')
    .action(async (options) => end(await locks(shell, options)));
  is.addTargetOptions(locksCommand.command('define').description('Says how many may hold a key at a time.'))
    .argument('<key>', 'such as pool:gpu')
    .requiredOption('--places <count>', 'how many places it has', is.parseCount)
    .addOption(is.jsonOption('print JSON'))
    .addHelpText('after', is.examples('baton locks define pool:gpu --places 4'))
    .action(async (key: string, _: unknown, command: Command) =>
      // The command above has options of the same names, and takes them where they stand before this one's name.
      end(await defineLock(shell, key, command.optsWithGlobals<DefineLockOptions>())),
    );
}

function addTaskChanges(program: Command, shell: Shell, end: End): void {
  const add = (name: string, description: string, ...lines: readonly string[]): Command =>
    is
      .addTargetOptions(program.command(name).description(description))
      .argument('<task...>', 'the ids of the tasks')
      .option('--reason <text>', 'kept with the tasks and told in their events')
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(...lines));
  add(
    'retry',
    'Gives failed, cancelled or skipped tasks a new life, and what was skipped because of them.',
    `baton retry ${is.exampleId} --reason 'The disk has room again.'`,
  ).action(async (ids: readonly string[], options: RetryOptions) => end(await retry(shell, ids, options)));
  add('cancel', 'Cancels tasks. Final at once: what runs is told to stop.', `baton cancel ${is.exampleId} --dependents`)
    .option('--dependents', 'all that waits for them as well; else it is skipped or runs, as each task says')
    .option('--children', 'what they have submitted as well')
    .action(async (ids: readonly string[], options: CancelOptions) => end(await cancel(shell, ids, options)));
}

function addExplain(program: Command, shell: Shell, end: End): void {
  is.addTargetOptions(
    program
      .command('explain')
      .description('Says why a task does not run, with each agent and why it does not get it; or why an agent is given nothing.'),
  )
    .argument('<task|agent>', 'the id of a task, or the name or the id of an agent')
    .addOption(is.jsonOption('print JSON: a code for each reason beside its sentence'))
    .addHelpText('after', is.examples(`baton explain ${is.exampleId}`, 'baton explain tester-2', 'baton explain tester-2 --json'))
    .action(async (subject: string, options: ReadOptions) => end(await explain(shell, subject, options)));
}

function addConformance(program: Command, shell: Shell, end: End): void {
  is.addTargetOptions(
    program
      .command('conformance')
      .description('Checks, frame by frame, that an implementation of the protocol answers as the JSON-RPC 2.0 specification demands.'),
  )
    .argument('[files...]', 'conversations, .io files or folders with them (default: those that come with Baton)')
    .addOption(new Option('--door <name>', 'through one door only (default: both)').choices(doorNames))
    .option('--timeout-ms <ms>', 'an answer that takes longer will not come (default: 5000)', is.parseCount)
    .addOption(is.jsonOption('print every conversation with what was wrong, as JSON'))
    .addHelpText('after', is.examples('baton conformance --url http://127.0.0.1:4766 --token-file .baton/token'))
    .action(async (files: readonly string[], options: ConformanceOptions) =>
      end(await (await loadConformance()).conformance(shell, files, options)),
    );
}
