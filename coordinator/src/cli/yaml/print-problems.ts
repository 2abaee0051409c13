import { printLine, type Shell } from '../shell.ts';
import { formatProblem, type YamlProblem } from './yaml-document.ts';

/** So many mistakes nobody mends before the next check. */
const shownMax = 50;

export interface FoundProblems {
  readonly file: string;
  readonly problems: readonly YamlProblem[];
  /** What follows from them, in a sentence. */
  readonly consequence?: string;
}

/** Prints the first mistakes of a file, in their order, and how many there are. */
export function printProblems({ stderr }: Pick<Shell, 'stderr'>, { file, problems, consequence }: FoundProblems): void {
  for (const problem of problems.slice(0, shownMax)) printLine(stderr, formatProblem(file, problem));
  const count = `${problems.length} mistake${problems.length === 1 ? '' : 's'} in ${file}`;
  const shown = problems.length > shownMax ? `, of which the first ${shownMax} are shown` : '';
  printLine(stderr, [`${count}${shown}.`, consequence].join(' ').trimEnd());
}
