import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';

/** What went wrong in a test, as far as the report says it. */
export interface Complaint {
  readonly message: string | undefined;
}

/** One `testcase`, as it is written. */
export interface WrittenCase {
  readonly name: string;
  readonly classname: string;
  readonly file: string | undefined;
  readonly failures: readonly Complaint[];
  /** Runs that failed before another one passed. */
  readonly flakes: readonly Complaint[];
  readonly isSkipped: boolean;
}

/** A `testsuite`, or the `testsuites` around all of them. */
export interface Suite {
  readonly name: string | undefined;
  readonly file: string | undefined;
  /** What its attributes say that it has. */
  readonly declared: { readonly tests: number | undefined; readonly failed: number };
  readonly cases: readonly WrittenCase[];
  readonly suites: readonly Suite[];
}

const lists = ['testsuite', 'testcase', 'failure', 'error', 'flakyFailure', 'flakyError', 'rerunFailure', 'rerunError'];
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: 'text',
  parseTagValue: false,
  // Decodes &#10; and the like; the parser has no other switch for it.
  htmlEntities: true,
  isArray: (name) => lists.includes(name),
});

const complaint = z.union([
  z.string().transform((text) => ({ message: firstLine(text) })),
  z.object({ message: z.string().optional(), text: z.unknown().optional() }).transform(({ message, text }) => ({
    message: firstLine(message) ?? firstLine(text),
  })),
]);
const complaints = z.array(complaint).default([]);

const writtenCase = z
  .object({
    name: z.string().default(''),
    classname: z.string().default(''),
    file: z.string().optional(),
    status: z.string().optional(),
    result: z.string().optional(),
    failure: complaints,
    error: complaints,
    flakyFailure: complaints,
    flakyError: complaints,
    rerunFailure: complaints,
    rerunError: complaints,
    skipped: z.unknown().optional(),
  })
  .transform(({ name, classname, file, status, result, skipped, ...said }): WrittenCase => ({
    name,
    classname,
    file,
    // Reruns are written for a test that never passed.
    failures: [...said.failure, ...said.error, ...said.rerunFailure, ...said.rerunError],
    flakes: [...said.flakyFailure, ...said.flakyError],
    isSkipped: skipped !== undefined || [status, result].some((word) => word !== undefined && notRun.includes(word)),
  }));
/** How googletest and ctest say that a test was left out. */
const notRun = ['notrun', 'disabled', 'suppressed', 'skipped'];

const total = z.coerce.number().int().min(0).optional().catch(undefined);
const suite: z.ZodType<Suite> = z.lazy(() =>
  z
    .object({
      name: z.string().optional(),
      file: z.string().optional(),
      tests: total,
      failures: total,
      errors: total,
      testcase: z.array(writtenCase).default([]),
      testsuite: z.array(suiteOrEmpty).default([]),
    })
    .transform(({ name, file, tests, failures = 0, errors = 0, testcase, testsuite }) => ({
      name,
      file,
      declared: { tests, failed: failures + errors },
      cases: testcase,
      suites: testsuite,
    })),
);
/** An element without attributes and content is read as an empty text. */
const suiteOrEmpty = z.union([z.string().transform(() => ({})), z.unknown()]).pipe(suite);
const report = z.union([
  z.object({ testsuites: suiteOrEmpty }).transform(({ testsuites }) => [testsuites]),
  z.object({ testsuite: z.array(suiteOrEmpty).min(1) }).transform(({ testsuite }) => testsuite),
]);

/**
 * The outermost suites of a JUnit report, or why the text is none. There is no standard: see
 * https://github.com/testmoapp/junitxml for what is common, and the fixtures of the tests for who writes what.
 */
export function readJUnit(text: string): readonly Suite[] | { readonly problem: string } {
  const valid = XMLValidator.validate(text);
  if (valid !== true) return { problem: `it is no XML: ${valid.err.msg} (line ${valid.err.line})` };
  // No test runner writes one, and what it defines could make the text many times as long.
  if (text.slice(0, text.search(/<[A-Za-z_]/)).includes('<!DOCTYPE')) return { problem: 'it has a DOCTYPE, which is not read' };
  try {
    const read = report.safeParse(parser.parse(text));
    return read.success ? read.data : { problem: 'it has neither <testsuites> nor <testsuite> at its top' };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function firstLine(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const line = text
    .split('\n')
    .map((part) => part.trim())
    .find((part) => part !== '');
  return line?.slice(0, 300).replace(/\p{Surrogate}$/u, '');
}
