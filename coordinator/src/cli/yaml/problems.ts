import { formatPath, type Path, type YamlDocument, type YamlProblem } from './yaml-document.ts';

/** Collects mistakes at their places in one document. */
export interface Problems {
  add(path: Path, message: string, what?: 'value' | 'key'): void;
  readonly list: readonly YamlProblem[];
}

export function collectProblems(document: YamlDocument): Problems {
  const list: YamlProblem[] = [];
  return { list, add: (path, message, what) => void list.push({ ...document.locate(path, what), path: formatPath(path), message }) };
}
