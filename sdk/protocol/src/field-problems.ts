import type { z } from 'zod';
import type { FieldProblem } from './errors.ts';

/** What a schema did not accept, a line per field, with paths as people write them: `tasks[2].locks[0].key`. */
export function toFieldProblems(error: z.core.$ZodError): FieldProblem[] {
  return error.issues.flatMap(problemsOf);
}

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  const path = formatPath(issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: 'There is no such field.' }));
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('');
}
