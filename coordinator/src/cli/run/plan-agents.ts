import { dirname, resolve } from 'node:path';
import { resolveModule } from '../plan/plan-check.ts';
import { withWorkspace } from '../plan/references.ts';
import type { CommandAgent, Plan, PlanAgent, ProcessAgent } from '../plan-schema.ts';
import type { CommandLine, Shell } from '../shell.ts';
import type { Target } from '../target.ts';
import type { AgentStart } from './agent-process.ts';
import { keepCommand } from './keep-program.ts';

export interface AgentPlaces {
  /** The plan's file: what it names is relative to it. */
  readonly planFile: string;
  readonly target: Target;
  /** The token files of the agents, by their names; one that is not among them uses that of the target. */
  readonly tokenFiles: ReadonlyMap<string, string>;
  readonly workspace: string | undefined;
  /** Makes the names of a team its own, where other teams may have agents of the same names. */
  readonly nameSuffix: string;
  /** How much the agents say; only what went wrong unless told otherwise, for all else is in the events. */
  readonly logLevel: string | undefined;
}

/** How the agents of a plan are started. */
export const planAgentStarts = ({ self, env }: Pick<Shell, 'self' | 'env'>, { agents }: Plan, places: AgentPlaces): AgentStart[] =>
  Object.entries(agents).map(([nameInPlan, agent]) => {
    const name = `${nameInPlan}${places.nameSuffix}`;
    return {
      name,
      command: [...self, ...toArguments(name, agent, places)] as unknown as CommandLine,
      env: {
        ...env,
        ...('module' in agent ? {} : agent.env),
        ...('process' in agent ? toAgentEnvironment(name, agent) : {}),
        BATON_LOG_LEVEL: places.logLevel ?? env['BATON_LOG_LEVEL'] ?? 'warn',
        BATON_URL: places.target.url,
        BATON_TOKEN_FILE: tokenFileOf(name, places),
        ...(places.workspace === undefined ? {} : { BATON_WORKSPACE: places.workspace }),
      },
    };
  });

const tokenFileOf = (name: string, { tokenFiles, target }: AgentPlaces): string => tokenFiles.get(name) ?? target.tokenFile;

/** What tells a program who it is to be. What it is not told it decides by itself. */
const toAgentEnvironment = (name: string, { capabilities, capacity }: ProcessAgent): NodeJS.ProcessEnv => ({
  BATON_AGENT_NAME: name,
  BATON_AGENT_CAPABILITIES: capabilities.join(','),
  ...(capacity === undefined ? {} : { BATON_AGENT_CAPACITY: String(capacity) }),
});

/** `baton agent MODULE --name …`; the program of a command agent stands after `--`, and so does one that is an agent by itself. */
function toArguments(name: string, agent: PlanAgent, places: AgentPlaces): string[] {
  if ('process' in agent) return [keepCommand, ...toProgram({ ...agent, command: agent.process }, places)];
  const { capabilities, capacity } = agent;
  const common = [
    `--name=${name}`,
    `--url=${places.target.url}`,
    `--token-file=${tokenFileOf(name, places)}`,
    ...(capacity === undefined ? [] : ['--capacity', String(capacity)]),
    ...(capabilities === undefined ? [] : ['--capabilities', capabilities.join(',')]),
  ];
  return 'module' in agent
    ? ['agent', resolveModule(places.planFile, agent.module), ...common]
    : ['agent', '--command', ...common, ...toProgram(agent, places)];
}

function toProgram(
  { cwd, exitCodes, contextTokens, command }: Omit<CommandAgent, 'capabilities'>,
  { planFile, workspace }: AgentPlaces,
): string[] {
  const planFolder = dirname(planFile);
  const fill = (text: string): string => (workspace === undefined ? text : withWorkspace(text, workspace));
  return [
    `--cwd=${cwd === undefined ? (workspace ?? planFolder) : resolve(planFolder, fill(cwd))}`,
    ...(exitCodes === undefined ? [] : ['--exit-codes', JSON.stringify(exitCodes)]),
    ...(contextTokens === undefined ? [] : ['--context-tokens', String(contextTokens)]),
    '--',
    // A program that comes with the plan is named as seen from there, wherever it runs.
    ...command.map((part) => (/^\.{1,2}\//.test(part) ? resolve(planFolder, part) : fill(part))),
  ];
}
