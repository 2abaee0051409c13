import { type JsonValue, newArtifact, type NewContextItem, newContextItem, toFieldProblems } from '@baton/protocol';
import { z } from 'zod';
import { describeProblems } from './field-problems.ts';
import { clip, failedOutcome, type TaskOutcome } from './outcome.ts';

const notes = z.array(newContextItem).max(1_000).default([]);

/** What a command agent's program prints. All of it may be left out, and so may the whole. */
const commandResult = z.strictObject({
  output: z.custom<JsonValue>((value) => value !== undefined).optional(),
  summary: z.string().optional(),
  artifacts: z.array(newArtifact).max(1_000).default([]),
  context: notes,
});
const notedResult = z.object({ context: notes });

const shape = '{ "output"?, "summary"?, "artifacts"?, "context"? }';

/** Reads the standard output of a program that has succeeded. Nothing printed is no output; anything but the result as JSON is a permanent failure. */
export function readCommandResult(stdout: string): TaskOutcome {
  if (stdout.trim() === '') return { kind: 'completed', artifacts: [] };
  const value = parseJson(stdout);
  if (value === undefined) {
    return refuse(
      `The program printed something that is not JSON; expected ${shape} on standard output and everything else on standard error. It begins with: ${clip(stdout.trim(), 200)}`,
    );
  }
  const result = commandResult.safeParse(value);
  if (!result.success)
    return refuse(`The result that the program printed does not fit ${shape}: ${describeProblems(toFieldProblems(result.error))}`);
  const { output, summary, artifacts } = result.data;
  return {
    kind: 'completed',
    ...(output === undefined ? {} : { output }),
    ...(summary === undefined ? {} : { summary: clip(summary, 4_000) }),
    artifacts,
  };
}

/** What a program noted, whether or not it has succeeded. What fails or is stopped may have printed anything else, or nothing. */
export function readCommandNotes(stdout: string): readonly NewContextItem[] {
  return notedResult.safeParse(parseJson(stdout)).data?.context ?? [];
}

const refuse = (message: string) => failedOutcome('result_invalid', message, { permanent: true });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
