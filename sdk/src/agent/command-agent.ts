import { capabilities as capabilitySet, name as agentName } from '@baton/protocol';
import { stderrLog } from './agent-log.ts';
import { placeOf } from './agent-place.ts';
import type { ExitCodes } from './exit-codes.ts';
import type { ServeOptions } from './serve-agent.ts';

export interface CommandAgentOptions extends Partial<ServeOptions> {
  readonly name: string;
  /** What it offers: its own words and the types of the tasks it does. */
  readonly capabilities: readonly string[];
  readonly capacity?: number;
  /** The program and its arguments. No shell reads them. */
  readonly command: readonly [string, ...string[]];
  /** Where the program runs; the workspace unless given. */
  readonly cwd?: string;
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly exitCodes?: ExitCodes;
  readonly contextTokens?: number;
  readonly workspace?: string;
}

/**
 * Runs an agent whose tasks a program does, in whatever language, until it has drained. For each task the program is given
 * `{ "task": … }` on its standard input and prints `{ "output"?, "summary"?, "artifacts"?, "context"? }`, of which the context is
 * kept however the program ends; what it says on standard error goes to the log. Its environment holds BATON_URL, BATON_TOKEN_FILE,
 * BATON_TASK_ID, BATON_ATTEMPT and BATON_WORKSPACE.
 */
export async function runCommandAgent(options: CommandAgentOptions): Promise<void> {
  const name = agentName.parse(options.name);
  const { command, capacity = 1, exitCodes = {}, contextTokens } = options;
  const { workspace, ...place } = placeOf(options, process.env);
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env, BATON_URL: place.url };
  if (place.tokenFile !== undefined) env['BATON_TOKEN_FILE'] = place.tokenFile;
  if (workspace !== undefined) env['BATON_WORKSPACE'] = workspace;

  // As in runAgent: who only defines an agent needs none of this.
  const [{ serveAgent }, { createCommandExecutor }] = await Promise.all([import('./serve-agent.ts'), import('./command-executor.ts')]);
  await serveAgent(
    { ...options, ...place },
    {
      identity: { name, capabilities: capabilitySet.parse(options.capabilities), capacity, tags: [] },
      log: options.log ?? stderrLog(name, process.env['BATON_LOG_LEVEL']),
      createExecutor: (client) => createCommandExecutor({ client, command, cwd: options.cwd ?? workspace, exitCodes, env, contextTokens }),
    },
  );
}
