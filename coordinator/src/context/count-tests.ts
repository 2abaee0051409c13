import type { JsonValue } from '@baton/protocol';

const counted = ['passed', 'failed', 'skipped'] as const;
type Counts = { -readonly [State in (typeof counted)[number]]?: number };

/** Artifacts of these types hold counts of tests, as `{ passed, failed, skipped? }` or as a JUnit report. */
const types = ['test_results', 'test_report', 'junit'];

/** How many tests passed and failed, as the evidence has it. Undefined where it does not say. */
export function countTests(type: string, content: JsonValue | undefined): Counts | undefined {
  if (!types.includes(type) || content === undefined || content === null) return undefined;
  if (typeof content === 'string') return countJUnit(content);
  if (typeof content !== 'object' || Array.isArray(content)) return undefined;
  const given = content as Readonly<Record<string, JsonValue>>;
  const xml = given['xml'];
  if (typeof xml === 'string') return countJUnit(xml);
  const counts: Counts = {};
  for (const state of counted) {
    const value = given[state];
    if (typeof value === 'number' && Number.isFinite(value)) counts[state] = value;
  }
  return counts.passed === undefined && counts.failed === undefined ? undefined : counts;
}

/** As the outermost element of the report that has counts says it; of several beside each other, their sum. */
function countJUnit(text: string): Counts | undefined {
  const whole = /<testsuites\b[^<>]*>/.exec(text)?.[0];
  const suites = whole !== undefined && attribute(whole, 'tests') !== undefined ? [whole] : (text.match(/<testsuite\b[^<>]*>/g) ?? []);
  if (suites.length === 0) return undefined;
  const sum = (name: string) => suites.reduce((total, suite) => total + (attribute(suite, name) ?? 0), 0);
  const [tests, failed, skipped] = [sum('tests'), sum('failures') + sum('errors'), sum('skipped')];
  return { passed: Math.max(0, tests - failed - skipped), failed, ...(skipped > 0 && { skipped }) };
}

function attribute(element: string, name: string): number | undefined {
  const value = new RegExp(`\\s${name}=["'](\\d{1,9})["']`).exec(element)?.[1];
  return value === undefined ? undefined : Number(value);
}
