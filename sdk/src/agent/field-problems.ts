import type { FieldProblem } from '@baton/protocol';
import type { z } from 'zod';

/** What a schema did not accept, one entry a field, with paths as people write them: `modules[2].path`. */
export function toFieldProblems(error: z.core.$ZodError): FieldProblem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: formatPath(issue.path), message: issue.message }];
    return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: 'There is no such field.' }));
  });
}

/** `dir: Expected string; depth: Expected number`, for a person. */
export const describeProblems = (problems: readonly FieldProblem[]): string =>
  problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');

const formatPath = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('');
