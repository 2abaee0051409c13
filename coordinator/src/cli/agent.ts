import { capabilities, name } from '@baton/protocol';
import type { ExitCodes } from '@baton/sdk';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { remedyFor } from './module-remedy.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { explainRefusal, findTarget, type Target, type TargetOptions } from './target.ts';

export interface AgentCommandOptions extends TargetOptions {
  /** The file of an SDK agent, from where the command is run. */
  readonly module?: string | undefined;
  /** A program and its arguments, instead of a module. */
  readonly command?: readonly string[] | undefined;
  /** Required with a command; with a module instead of the name in its definition. */
  readonly name?: string | undefined;
  readonly capacity?: number | undefined;
  readonly capabilities?: readonly string[] | undefined;
  readonly workspace?: string | undefined;
  /** Where the program of a command agent runs; the workspace unless given. */
  readonly cwd?: string | undefined;
  readonly exitCodes?: ExitCodes | undefined;
  readonly contextTokens?: number | undefined;
  /** Prints what the module's agent offers, as JSON, and runs nothing. */
  readonly describe?: boolean | undefined;
  /** Prints what the agent does as lines of JSON. */
  readonly json?: boolean | undefined;
}

// Only when the command is run: the SDK's agent part is no part of the coordinator.
const loadSdk = () => import('@baton/sdk');

/** `baton agent`: runs an agent until it has drained. */
export async function runAgentCommand(shell: Shell, options: AgentCommandOptions): Promise<number> {
  const { module, command } = options;
  if ((module === undefined) === (command === undefined))
    throw new CommandError('Give either the module of an agent or a command.', { exitCode: 2 });
  const run = module === undefined ? await prepareCommand(command ?? [], options) : await prepareModule(shell, module, options);
  if (run === undefined) return 0;

  const target = await findTarget(options, shell.env);
  try {
    await run({ ...settingsOf(options, target), ...activityPrinter(shell, options) });
    return 0;
  } catch (error) {
    throw explainRefusal(error, target);
  }
}

type Run = (settings: ReturnType<typeof settingsOf> & ReturnType<typeof activityPrinter>) => Promise<void>;

/** What runs the agent of a module; undefined where it was only to be described. */
async function prepareModule(shell: Shell, module: string, { describe }: AgentCommandOptions): Promise<Run | undefined> {
  const file = resolve(module);
  if (!existsSync(file)) throw new CommandError(`There is no file ${file}.`, { exitCode: 2 });
  const url = pathToFileURL(file);
  const { AgentModuleError, describeAgent, runAgent } = await loadSdk();
  try {
    // Also before it is run: what is wrong with the module is said before anything is asked of a coordinator.
    const description = await describeAgent(url);
    if (describe !== true) return (settings) => runAgent(url, settings);
    printLine(shell.stdout, JSON.stringify(description));
    return undefined;
  } catch (error) {
    if (error instanceof AgentModuleError)
      throw new CommandError(`${error.message}${remedyFor(error.cause)}`, { exitCode: 2, cause: error });
    throw error;
  }
}

async function prepareCommand([program, ...args]: readonly string[], options: AgentCommandOptions): Promise<Run> {
  const { name: agentName, capabilities: offered, describe } = options;
  if (program === undefined) throw new CommandError('The command is empty.', { exitCode: 2 });
  if (describe === true) throw new CommandError('A command cannot describe itself: it offers what --capabilities says.', { exitCode: 2 });
  if (agentName === undefined) throw new CommandError('A command agent needs a name: --name NAME.', { exitCode: 2 });
  if (offered === undefined || offered.length === 0)
    throw new CommandError('A command agent needs capabilities: --capabilities LIST.', { exitCode: 2 });
  const { runCommandAgent } = await loadSdk();
  return (settings) =>
    runCommandAgent({ name: agentName, capabilities: offered, ...settings, ...programSettingsOf(options), command: [program, ...args] });
}

/** What was given, checked; what was not given is left out, so that the SDK's own defaults hold. */
function settingsOf({ name: agentName, capacity, capabilities: offered, workspace }: AgentCommandOptions, { url, tokenFile }: Target) {
  return {
    url,
    tokenFile,
    ...(agentName === undefined ? {} : { name: checked('--name', name.safeParse(agentName)) }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(offered === undefined ? {} : { capabilities: checked('--capabilities', capabilities.safeParse(offered)) }),
    ...(workspace === undefined ? {} : { workspace }),
  };
}

/** What only a command agent has. */
const programSettingsOf = ({ cwd, exitCodes, contextTokens }: AgentCommandOptions) => ({
  ...(cwd === undefined ? {} : { cwd }),
  ...(exitCodes === undefined ? {} : { exitCodes }),
  ...(contextTokens === undefined ? {} : { contextTokens }),
});

function checked<T>(
  option: string,
  result:
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly { readonly message: string }[] } },
): T {
  if (result.success) return result.data;
  throw new CommandError(`${option} does not fit: ${result.error.issues.map(({ message }) => message).join(' ')}`, { exitCode: 2 });
}

const activityPrinter = (shell: Shell, { json }: AgentCommandOptions) =>
  json === true ? { onActivity: (activity: object) => printLine(shell.stdout, JSON.stringify(activity, withoutSecrets)) } : {};

// Standard output is kept and shown around; the token of a session and the inputs of tasks are nobody else's concern.
const withoutSecrets = (key: string, value: unknown) => (key === 'resumeToken' || key === 'input' ? undefined : value);
