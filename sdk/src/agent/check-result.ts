import { type FieldProblem, toFieldProblems } from '@baton/protocol';
import type { z } from 'zod';
import { describeProblems } from './field-problems.ts';
import { PermanentTaskError } from './task-errors.ts';

/**
 * What a task hands in, as its schema reads it. Called at the line that hands it in, not when the attempt ends.
 *
 * @throws PermanentTaskError `result_invalid`, with the fields that do not fit
 */
export function checkResult<T extends z.ZodType>(what: string, schema: T, value: z.input<T>): z.output<T> {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  throw misfitError(what, toFieldProblems(checked.error));
}

export const misfitError = (what: string, fields: readonly FieldProblem[]): PermanentTaskError =>
  new PermanentTaskError(`The ${what} does not fit: ${describeProblems(fields)}`, {
    code: 'result_invalid',
    details: fields.map((field) => ({ ...field })),
  });
