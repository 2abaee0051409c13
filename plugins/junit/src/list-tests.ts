import type { Suite, WrittenCase } from './read-junit.ts';

export interface Test {
  /** With the class or file it is in, and the suites around it where another test has the same name. */
  readonly name: string;
  readonly file: string | undefined;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** It failed before it passed. */
  readonly isFlaky: boolean;
  readonly message: string | undefined;
}

interface Placed extends Test {
  /** The names of the suites around it, from the outside in. */
  readonly suites: readonly string[];
}

/**
 * The tests of a report. Two cases of one name are two tests, since many runners let tests share a name; with `repeatsAreReruns`
 * those of the same suites, file and class are the runs of one test, of which the last one counts.
 */
export function listTests(suites: readonly Suite[], { repeatsAreReruns }: { readonly repeatsAreReruns: boolean }): Test[] {
  const cases = suites.flatMap((suite) => placeCases(suite, []));
  const placed = repeatsAreReruns ? [...Map.groupBy(cases, keyOf).values()].map(joinRuns) : cases;
  const keysByName = new Map<string, Set<string>>();
  for (const one of placed) keysByName.set(one.name, (keysByName.get(one.name) ?? new Set()).add(keyOf(one)));
  return placed.map(({ suites: around, ...test }) => {
    const isShared = (keysByName.get(test.name)?.size ?? 0) > 1;
    return isShared ? { ...test, name: [...around, test.name].join(' › ') } : test;
  });
}

/** What went wrong in suites outside of their tests, such as in a set-up. */
export const listSuiteFailures = (suites: readonly Suite[]): Pick<Test, 'name' | 'file' | 'message'>[] =>
  suites.flatMap(({ name = 'A suite without a name', file, failures, suites: inner }) => [
    ...failures.map(({ message }) => ({ name, file, message })),
    ...listSuiteFailures(inner),
  ]);

const placeCases = ({ name, file, cases, suites }: Suite, around: readonly string[]): Placed[] => {
  const here = name === undefined ? around : [...around, name];
  return [...cases.map((one) => toTest(one, here, file)), ...suites.flatMap((suite) => placeCases(suite, here))];
};

function toTest(
  { name, classname, file, failures, flakes, isSkipped }: WrittenCase,
  suites: readonly string[],
  suiteFile?: string,
): Placed {
  return {
    name: classname === '' || classname === name ? name : `${classname} › ${name}`,
    suites,
    file: file ?? suiteFile,
    state: failures.length > 0 ? 'failed' : isSkipped ? 'skipped' : 'passed',
    isFlaky: failures.length === 0 && flakes.length > 0,
    message: failures[0]?.message,
  };
}

const keyOf = ({ suites, file, name }: Placed): string => JSON.stringify([suites, file, name]);

function joinRuns(runs: readonly Placed[]): Placed {
  const last = runs.at(-1) as Placed;
  return { ...last, isFlaky: last.isFlaky || (last.state === 'passed' && runs.some(({ state }) => state === 'failed')) };
}
