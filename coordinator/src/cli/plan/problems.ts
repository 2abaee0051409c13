import { formatPath, type Path, type PlanDocument, type PlanProblem } from './plan-document.ts';

/** Collects mistakes at their places in one document. */
export interface Problems {
  add(path: Path, message: string, what?: 'value' | 'key'): void;
  readonly list: readonly PlanProblem[];
}

export function collectProblems(document: PlanDocument): Problems {
  const list: PlanProblem[] = [];
  return { list, add: (path, message, what) => void list.push({ ...document.locate(path, what), path: formatPath(path), message }) };
}
