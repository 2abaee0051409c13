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

/** As the outermost elements of the report that have counts say it: of several beside each other, their sum. */
function countJUnit(text: string): Counts | undefined {
  const suites = listCountingSuites(text);
  if (suites.length === 0) return undefined;
  const sum = (name: string) => suites.reduce((total, suite) => total + (suite.get(name) ?? 0), 0);
  const [tests, failed, skipped] = [sum('tests'), sum('failures') + sum('errors'), sum('skipped')];
  return { passed: Math.max(0, tests - failed - skipped), failed, ...(skipped > 0 && { skipped }) };
}

/** The tags of suites. Comments and character data are matched first, so that what stands in them is no tag. */
const suiteTags = /<!--[^]*?(?:-->|$)|<!\[CDATA\[[^]*?(?:\]\]>|$)|<(?<end>\/?)testsuites?\b(?<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*)>/g;

/** The numbers that stand on each suite that says how many tests it has and is in no other that says so. */
function listCountingSuites(text: string): Map<string, number>[] {
  const suites: Map<string, number>[] = [];
  let depth = 0;
  let countedAt: number | undefined;
  for (const { groups: { end, attributes } = {} } of text.matchAll(suiteTags)) {
    if (attributes === undefined) continue;
    if (end === '/') {
      if (depth === countedAt) countedAt = undefined;
      depth -= 1;
      continue;
    }
    const hasContent = !attributes.endsWith('/');
    if (hasContent) depth += 1;
    if (countedAt !== undefined) continue;
    const numbers = readNumbers(attributes);
    if (!numbers.has('tests')) continue;
    suites.push(numbers);
    if (hasContent) countedAt = depth;
  }
  return suites;
}

function readNumbers(attributes: string): Map<string, number> {
  const all = [...attributes.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)];
  return new Map(
    all.flatMap(([, name = '', double, single]) => {
      const value = double ?? single ?? '';
      return /^\d{1,9}$/.test(value) ? [[name, Number(value)] as const] : [];
    }),
  );
}
