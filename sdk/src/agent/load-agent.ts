import { fileURLToPath } from 'node:url';
import type { AgentDefinition } from './define-agent.ts';

/** The module of an agent cannot be used; the message names the file and the reason. */
export class AgentModuleError extends Error {
  override readonly name = 'AgentModuleError';
}

/**
 * Imports a module and returns the agent that it exports by default.
 *
 * @throws AgentModuleError when it does not load or exports something else.
 */
export async function loadAgent(moduleUrl: string): Promise<AgentDefinition> {
  const file = moduleUrl.startsWith('file:') ? fileURLToPath(moduleUrl) : moduleUrl;
  const module = await import(moduleUrl).then(
    (loaded: { readonly default?: unknown }) => loaded,
    (cause: unknown) => {
      throw new AgentModuleError(`The agent module ${file} does not load: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    },
  );
  if (!isAgent(module.default)) throw new AgentModuleError(`The agent module ${file} has no default export made with defineAgent().`);
  return module.default;
}

const isAgent = (value: unknown): value is AgentDefinition =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'baton-agent';
