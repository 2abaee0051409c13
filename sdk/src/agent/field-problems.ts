import type { FieldProblem } from '@baton/protocol';

/** `dir: Expected string; depth: Expected number`, for a person. */
export const describeProblems = (problems: readonly FieldProblem[]): string =>
  problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
