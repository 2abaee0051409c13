import { type JsonValue, newArtifact, type NewContextItem, type NewContextItemInput, toFieldProblems } from '@baton/protocol';
import { z } from 'zod';
import { describeProblems } from './field-problems.ts';
import { createNoteTaker } from './note-taker.ts';
import { clip, failedOutcome, type TaskOutcome } from './outcome.ts';
import { PermanentTaskError } from './task-errors.ts';

// Read one by one: what is wrong with one is no reason to lose the others.
const context = z.array(z.unknown()).default([]);

/** What a command agent's program prints. All of it may be left out, and so may the whole. */
const commandResult = z.strictObject({
  output: z.custom<JsonValue>((value) => value !== undefined).optional(),
  summary: z.string().optional(),
  artifacts: z.array(newArtifact).max(1_000).default([]),
  context,
});
const notedResult = z.object({ context });

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

export interface CommandNotes {
  /** Those that the coordinator will take, all of them together. */
  readonly notes: readonly NewContextItem[];
  /** What is wrong with each of the others. */
  readonly problems: readonly string[];
}

/** What a program noted, whether or not it has succeeded. What fails or is stopped may have printed anything else, or nothing. */
export function readCommandNotes(stdout: string): CommandNotes {
  const notes: NewContextItem[] = [];
  const problems: string[] = [];
  const take = createNoteTaker((note) => void notes.push(note));
  for (const [index, note] of (notedResult.safeParse(parseJson(stdout)).data?.context ?? []).entries()) {
    try {
      take(note as NewContextItemInput);
    } catch (error) {
      if (!(error instanceof PermanentTaskError)) throw error;
      problems.push(`context[${index}]: ${error.message}`);
    }
  }
  return { notes, problems };
}

const refuse = (message: string) => failedOutcome('result_invalid', message, { permanent: true });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
