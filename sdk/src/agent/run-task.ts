import { type Claim, type Client, type JsonValue, type NewContextItem, toFieldProblems } from '@baton/protocol';
import type { AgentLog } from './agent-log.ts';
import { type AttemptContext, createTaskContext } from './create-task-context.ts';
import type { TaskDefinition } from './define-task.ts';
import { describeProblems } from './field-problems.ts';
import { failedOutcome, type TaskOutcome } from './outcome.ts';
import { PermanentTaskError, toFailure } from './task-errors.ts';

export interface RunTaskParts {
  readonly tasks: readonly TaskDefinition[];
  readonly claim: Claim;
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly workspace: string | undefined;
  readonly log: AgentLog;
  readonly note: (item: NewContextItem) => void;
  /** Given the context before the task runs, so that the caller can tell it about lost locks. */
  readonly onContext?: (context: AttemptContext) => void;
}

/** Runs the task that a claim asks for, from the check of its input to the check of its output. Whatever happens is the outcome; nothing is thrown. */
export async function runTask({ tasks, claim, client, signal, workspace, log, note, onContext }: RunTaskParts): Promise<TaskOutcome> {
  const task = tasks.find(({ type }) => type === claim.type);
  if (task === undefined) {
    const types = tasks.map(({ type }) => type);
    return failedOutcome('task_type_unknown', `This agent has no task of type ${claim.type}; it has ${types.join(', ')}.`, {
      permanent: true,
      details: { types },
    });
  }
  const context = createTaskContext({ claim, client, signal, workspace, log, note });
  onContext?.(context);
  const { ctx, gathered } = context;
  try {
    const input = await task.input.safeParseAsync(claim.input);
    if (!input.success) return misfit('input_invalid', `The input of the task ${claim.type}`, toFieldProblems(input.error));

    const returned = await task.run(input.data, ctx);
    const output = await task.output.safeParseAsync(returned);
    if (!output.success) return misfit('output_invalid', `The output of the task ${claim.type}`, toFieldProblems(output.error));

    const { summary, artifacts } = gathered();
    const value = toJson(output.data);
    return {
      kind: 'completed',
      ...(value === undefined ? {} : { output: value }),
      ...(summary === undefined ? {} : { summary }),
      artifacts,
    };
  } catch (thrown) {
    return toFailure(thrown);
  }
}

const misfit = (code: string, what: string, fields: ReturnType<typeof toFieldProblems>) =>
  failedOutcome(code, `${what} does not fit: ${describeProblems(fields)}`, {
    permanent: true,
    details: { fields: fields.map((field) => ({ ...field })) },
  });

/** As it will arrive: dates as text, undefined members left out. Nothing returned is no output. */
function toJson(value: unknown): JsonValue | undefined {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : (JSON.parse(text) as JsonValue);
  } catch (cause) {
    throw new PermanentTaskError(`The output cannot be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: 'output_invalid',
      cause,
    });
  }
}
