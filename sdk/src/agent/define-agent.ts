import { capabilities, capability, name, phaseName } from '@baton/protocol';
import { z } from 'zod';
import type { TaskDefinition } from './define-task.ts';

/** An agent: what it is called, what it can do, and how much of it at once. */
export interface AgentDefinition {
  /** How `baton agent` and its threads know the value again, whichever copy of this package made it. */
  readonly kind: 'baton-agent';
  /** Its identity: a second process of the same name takes the place of the first. */
  readonly name: string;
  /** What it offers beside the types of its tasks: sorted, in lower case. */
  readonly capabilities: readonly string[];
  /** How many tasks it runs at once. */
  readonly capacity: number;
  readonly tags: readonly string[];
  /** What kind of agent it is, a word of your own, for search and statistics; `worker` unless given. */
  readonly type?: string | undefined;
  /** Where it mostly works, for search and statistics. It is given the tasks of any phase. */
  readonly phase?: string | undefined;
  readonly tasks: readonly TaskDefinition[];
}

const settings = z.object({
  name,
  capabilities: capabilities.default([]),
  capacity: z.int().min(1).max(1_000).default(1),
  tags: z.array(capability).max(64).default([]),
  type: capability.optional(),
  phase: phaseName.optional(),
});

/**
 * Defines an agent; the default export of an agent's module. It offers its capabilities and the types of its tasks.
 *
 * @throws TypeError where the definition does not fit, naming the field.
 */
export function defineAgent(definition: z.input<typeof settings> & { readonly tasks: readonly TaskDefinition[] }): AgentDefinition {
  const checked = settings.safeParse(definition);
  if (!checked.success) {
    const lines = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new TypeError(`The agent's definition does not fit: ${lines.join('; ')}`);
  }
  if (!Array.isArray(definition.tasks) || definition.tasks.length === 0)
    throw new TypeError(`The agent ${checked.data.name} has no tasks.`);
  const types = definition.tasks.map(({ type }) => type);
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) throw new TypeError(`The agent ${checked.data.name} defines the task ${twice} twice.`);
  return { kind: 'baton-agent', ...checked.data, tasks: definition.tasks };
}

/** What an agent offers to the scheduler: a task that names no capabilities needs its type. */
export const offeredCapabilities = ({ capabilities: offered, tasks }: Pick<AgentDefinition, 'capabilities' | 'tasks'>): readonly string[] =>
  [...new Set([...offered, ...tasks.map(({ type }) => type)])].sort();
