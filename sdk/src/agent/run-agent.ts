import { capabilities as capabilitySet } from '@baton/protocol';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stderrLog } from './agent-log.ts';
import { offeredCapabilities } from './define-agent.ts';
import { loadAgent } from './load-agent.ts';
import { placeOf } from './agent-place.ts';
import type { ServeOptions } from './serve-agent.ts';

export interface RunAgentOptions extends Partial<ServeOptions> {
  /** Instead of the name in the definition: one module may run as several agents. */
  readonly name?: string;
  readonly capacity?: number;
  /** Instead of those in the definition. The types of its tasks are always offered. */
  readonly capabilities?: readonly string[];
  /** The folder that tasks are told to work in; BATON_WORKSPACE unless given. */
  readonly workspace?: string;
}

/**
 * Runs the agent that a module exports by default, until it has drained: `if (import.meta.main) await runAgent(import.meta.url)`.
 * Where the options are silent, BATON_URL, BATON_TOKEN_FILE and BATON_WORKSPACE speak.
 *
 * @throws AgentModuleError when the module exports no agent; ConnectionError or CoordinatorError when the coordinator cannot be reached or refuses it.
 */
export async function runAgent(moduleUrl: string | URL, options: RunAgentOptions = {}): Promise<void> {
  const url = toLoadableUrl(String(moduleUrl));
  const agent = await loadAgent(url);
  const name = options.name ?? agent.name;
  const capacity = options.capacity ?? agent.capacity;
  const capabilities = offeredCapabilities({ ...agent, capabilities: capabilitySet.parse(options.capabilities ?? agent.capabilities) });
  const log = options.log ?? stderrLog(name, process.env['BATON_LOG_LEVEL']);
  const { workspace, ...place } = placeOf(options, process.env);

  // Only where an agent is run: its threads import this package too, and start faster without the connection.
  const [{ serveAgent }, { createTaskExecutor }] = await Promise.all([import('./serve-agent.ts'), import('./task-executor.ts')]);
  await serveAgent(
    { ...options, ...place },
    {
      identity: { name, capabilities, capacity, tags: agent.tags, type: agent.type, phase: agent.phase },
      log,
      createExecutor: (client) =>
        createTaskExecutor({
          agent,
          moduleUrl: url,
          capacity,
          client,
          workspace,
          onThreadError: (error) => log.error(`a thread failed after its task: ${error.message}`),
        }),
    },
  );
}

// A module that runs itself is still being evaluated while it waits for us: importing it again under the same address would wait
// for us in turn. Under an address of its own it is another instance, which is not the main module and starts nothing.
function toLoadableUrl(moduleUrl: string): string {
  const [script] = process.argv.slice(1);
  if (script === undefined || !moduleUrl.startsWith('file:')) return moduleUrl;
  const url = new URL(moduleUrl);
  if (fileURLToPath(url) !== realPathOf(script)) return moduleUrl;
  url.searchParams.set('baton', 'agent');
  return url.href;
}

const realPathOf = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    // Started with -e or from a package by name: then no module of ours is the main one.
    return undefined;
  }
};
