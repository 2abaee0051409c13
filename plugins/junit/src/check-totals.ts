import type { Suite } from './read-junit.ts';

export interface Disagreement {
  /** `fail` where something that is announced is not there, as in a report that was cut off; `warn` where there is more. */
  readonly severity: 'fail' | 'warn';
  readonly message: string;
}

/** Where the numbers that a suite has in its attributes are not those of the cases in it. */
export function checkTotals(suites: readonly Suite[]): Disagreement[] {
  return suites.flatMap((suite) => {
    const { name = 'The report', declared, cases, suites: inner } = suite;
    const all = countCases(suite);
    const inside = checkTotals(inner);
    const { tests } = declared;
    if (tests !== undefined && tests > all.tests)
      return [{ severity: 'fail', message: `${name} announces ${tests} tests and shows ${all.tests}.` }, ...inside];
    if (declared.failed > all.failed)
      return [
        { severity: 'fail', message: `${name} announces ${declared.failed} failures and errors and shows ${all.failed}.` },
        ...inside,
      ];
    // Some count what is in their inner suites, some do not.
    if (tests !== undefined && tests < cases.length)
      return [{ severity: 'warn', message: `${name} announces ${tests} tests and shows ${cases.length}.` }, ...inside];
    return inside;
  });
}

/** A test that fails in its body and in what comes after it is counted twice by some. */
function countCases({ cases, failures, suites }: Suite): { readonly tests: number; readonly failed: number } {
  return suites.map(countCases).reduce((a, b) => ({ tests: a.tests + b.tests, failed: a.failed + b.failed }), {
    tests: cases.length,
    failed: failures.length + cases.reduce((sum, one) => sum + one.failures.length, 0),
  });
}
