import { capability, type JsonObject } from '@baton/protocol';
import { z } from 'zod';
import type { TaskContext } from './task-context.ts';

/** What an agent does for one type of task. */
export interface TaskDefinition<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** The type of the tasks it does, which is also a capability that the agent offers. */
  readonly type: string;
  /** Input that does not fit fails the task for good, and says which field. */
  readonly input: I;
  /** What `run` returns must fit, else the task fails for good. */
  readonly output: O;
  /** Runs in the agent's main thread, which it must not block. Otherwise it runs in a worker thread and may compute. */
  readonly inline: boolean;
  run(input: z.output<I>, ctx: TaskContext): z.input<O> | Promise<z.input<O>>;
}

/** As a definition, with what may be left out. */
interface NewTaskDefinition<I extends z.ZodType, O extends z.ZodType> {
  readonly type: string;
  /** Without it `run` is given the input as it came. */
  readonly input?: I;
  /** Without it any JSON value may be returned, or nothing. */
  readonly output?: O;
  readonly inline?: boolean;
  run(input: z.output<I>, ctx: TaskContext): z.input<O> | Promise<z.input<O>>;
}

const anyInput = z.custom<JsonObject>();
const anyOutput = z.unknown();

/**
 * Defines what an agent does for tasks of one type. Nothing runs before the agent does.
 *
 * @throws TypeError where the definition itself does not fit.
 */
export function defineTask<I extends z.ZodType = z.ZodType<JsonObject>, O extends z.ZodType = z.ZodUnknown>(
  definition: NewTaskDefinition<I, O>,
): TaskDefinition<I, O> {
  const type = capability.safeParse(definition.type);
  if (!type.success) throw new TypeError(`A task's type is not "${definition.type}": ${type.error.issues[0]?.message ?? ''}`);
  if (typeof definition.run !== 'function') throw new TypeError(`The task ${type.data} has no function "run".`);
  for (const side of ['input', 'output'] as const) {
    if (definition[side] !== undefined && !isSchema(definition[side]))
      throw new TypeError(`"${side}" of the task ${type.data} is not a zod schema.`);
  }
  return {
    type: type.data,
    input: definition.input ?? (anyInput as unknown as I),
    output: definition.output ?? (anyOutput as unknown as O),
    inline: definition.inline ?? false,
    run: (input, ctx) => definition.run(input, ctx),
  };
}

// By what it can do, not by its class: the module that defines a task may bring its own copy of zod.
const isSchema = (value: unknown) =>
  typeof value === 'object' && value !== null && 'safeParseAsync' in value && typeof value.safeParseAsync === 'function';
