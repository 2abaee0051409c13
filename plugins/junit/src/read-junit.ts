import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';

export interface TestCase {
  /** With the class or file it is in. */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** It failed before it passed. */
  readonly isFlaky: boolean;
  readonly message: string | undefined;
}

const lists = ['testsuite', 'testcase', 'failure', 'error', 'flakyFailure', 'flakyError', 'rerunFailure', 'rerunError'];
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: 'text',
  parseAttributeValue: false,
  processEntities: false,
  isArray: (name) => lists.includes(name),
});

const complaint = z.union([
  z.string().transform((text) => ({ message: undefined, text })),
  z.object({ message: z.string().optional(), text: z.unknown().optional() }),
]);
const complaints = z.array(complaint).default([]);
const testcase = z.object({
  name: z.string().default(''),
  classname: z.string().default(''),
  failure: complaints,
  error: complaints,
  flakyFailure: complaints,
  flakyError: complaints,
  skipped: z.unknown().optional(),
});
interface Suite {
  readonly testsuite?: readonly Suite[] | undefined;
  readonly testcase?: readonly z.infer<typeof testcase>[] | undefined;
}
const suite: z.ZodType<Suite> = z.lazy(() => z.object({ testsuite: z.array(suite).optional(), testcase: z.array(testcase).optional() }));
const empty = z.literal('').transform((): Suite => ({}));
const report = z.object({ testsuites: z.union([suite, empty]).optional(), testsuite: z.array(z.union([suite, empty])).optional() });

/** The tests of a JUnit report, as many tools write it. Undefined where the text is none. A test that ran again is one test. */
export function readJUnit(text: string): TestCase[] | undefined {
  if (XMLValidator.validate(text) !== true) return undefined;
  const read = report.safeParse(parser.parse(text));
  if (!read.success) return undefined;
  const { testsuites, testsuite } = read.data;
  if (testsuites === undefined && testsuite === undefined) return undefined;
  const cases = [...(testsuites === undefined ? [] : [testsuites]), ...(testsuite ?? [])].flatMap(casesOf).map(toTestCase);
  return [...Map.groupBy(cases, ({ name }) => name).values()].map(joinRuns);
}

const casesOf = ({ testsuite = [], testcase: own = [] }: Suite): z.infer<typeof testcase>[] => [...own, ...testsuite.flatMap(casesOf)];

function toTestCase({ name, classname, failure, error, flakyFailure, flakyError, skipped }: z.infer<typeof testcase>): TestCase {
  const [first] = [...failure, ...error];
  return {
    name: classname === '' ? name : `${classname} › ${name}`,
    state: first !== undefined ? 'failed' : skipped !== undefined ? 'skipped' : 'passed',
    isFlaky: flakyFailure.length + flakyError.length > 0,
    message: first?.message,
  };
}

/** Some tools write each run of a test as one of its own: the last one counts. */
function joinRuns(runs: readonly TestCase[]): TestCase {
  const last = runs.at(-1) as TestCase;
  return { ...last, isFlaky: last.isFlaky || (last.state === 'passed' && runs.some(({ state }) => state === 'failed')) };
}
