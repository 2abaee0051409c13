import type { AgentDefinition } from './define-agent.ts';
import { offeredCapabilities } from './define-agent.ts';
import { loadAgent } from './load-agent.ts';

export interface AgentDescription {
  readonly name: string;
  /** What it offers to the scheduler: its own capabilities and the types of its tasks. */
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly tags: readonly string[];
  readonly tasks: readonly { readonly type: string }[];
}

/**
 * Tells what the agent of a module offers, without running it.
 *
 * @throws AgentModuleError when the module does not load or exports no agent.
 */
export async function describeAgent(moduleUrl: string | URL): Promise<AgentDescription> {
  return describe(await loadAgent(String(moduleUrl)));
}

const describe = (agent: AgentDefinition): AgentDescription => ({
  name: agent.name,
  capabilities: offeredCapabilities(agent),
  capacity: agent.capacity,
  tags: agent.tags,
  tasks: agent.tasks.map(({ type }) => ({ type })),
});
