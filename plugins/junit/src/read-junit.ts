import { cutText } from '@baton/sdk/plugin';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { findUnknown, statusWords } from './find-unknown.ts';

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

/** A `testsuite`, or the `testsuites` around some of them. */
export interface Suite {
  readonly name: string | undefined;
  readonly file: string | undefined;
  /** What its attributes say that it has. */
  readonly declared: { readonly tests: number | undefined; readonly failed: number };
  readonly cases: readonly WrittenCase[];
  /** What went wrong outside of its cases, such as in its set-up. */
  readonly failures: readonly Complaint[];
  readonly suites: readonly Suite[];
}

const lists = ['testsuites', 'testsuite', 'testcase', 'failure', 'error', 'flakyFailure', 'flakyError', 'rerunFailure', 'rerunError'];
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  // Decodes &#10; and the like; the parser has no other switch for it.
  htmlEntities: true,
  isArray: (name) => lists.includes(name),
});

const complaint = z.union([
  z.string().transform((text) => ({ message: firstLine(text) })),
  z.object({ '@message': z.string().optional(), '#text': z.unknown().optional() }).transform(({ '@message': message, '#text': text }) => ({
    message: firstLine(message) ?? firstLine(text),
  })),
]);
const complaints = z.array(complaint).default([]);

const writtenCase = z
  .object({
    '@name': z.string().default(''),
    '@classname': z.string().default(''),
    '@file': z.string().optional(),
    '@status': z.string().optional(),
    '@result': z.string().optional(),
    failure: complaints,
    error: complaints,
    flakyFailure: complaints,
    flakyError: complaints,
    rerunFailure: complaints,
    rerunError: complaints,
    skipped: z.unknown().optional(),
  })
  .transform(({ '@name': name, '@classname': classname, '@file': file, skipped, ...said }): WrittenCase => {
    // Reruns are written for a test that never passed.
    const failures = [...said.failure, ...said.error, ...said.rerunFailure, ...said.rerunError];
    return {
      name,
      classname,
      file,
      failures: failures.length > 0 ? failures : failuresBy(said),
      flakes: [...said.flakyFailure, ...said.flakyError],
      isSkipped: skipped !== undefined || wordsOf(said).some((word) => isOneOf(statusWords.skipped, word)),
    };
  });

interface WithStatus {
  readonly '@status'?: string | undefined;
  readonly '@result'?: string | undefined;
}
const isOneOf = (words: readonly string[], word: string) => words.includes(word);
const wordsOf = (said: WithStatus) => [said['@status'], said['@result']].flatMap((word) => word?.toLowerCase() ?? []);
const failuresBy = (said: WithStatus): Complaint[] => {
  const word = wordsOf(said).find((one) => isOneOf(statusWords.failed, one));
  return word === undefined ? [] : [{ message: `its status is ${word}` }];
};
const hasFailed = ({ cases, failures, suites }: Omit<Suite, 'name' | 'file' | 'declared'>): boolean =>
  failures.length > 0 || cases.some((one) => one.failures.length > 0) || suites.some(hasFailed);

const total = z.coerce.number().int().min(0).optional().catch(undefined);
const suite: z.ZodType<Suite> = z.lazy(() =>
  z
    .object({
      '@name': z.string().optional(),
      '@file': z.string().optional(),
      '@status': z.string().optional(),
      '@result': z.string().optional(),
      '@tests': total,
      '@failures': total,
      '@errors': total,
      testcase: z.array(caseOrEmpty).default([]),
      failure: complaints,
      error: complaints,
      testsuite: z.array(suiteOrEmpty).default([]),
      testsuites: z.array(suiteOrEmpty).default([]),
    })
    .transform((read) => {
      const inside = { cases: read.testcase, failures: [...read.failure, ...read.error], suites: [...read.testsuite, ...read.testsuites] };
      return {
        name: read['@name'],
        file: read['@file'],
        declared: { tests: read['@tests'], failed: (read['@failures'] ?? 0) + (read['@errors'] ?? 0) },
        ...inside,
        // A suite is also said to have failed because of a test in it.
        failures: hasFailed(inside) ? inside.failures : failuresBy(read),
      };
    }),
);
/** An element without attributes and content is read as an empty text. */
const orEmpty = z.union([z.string().transform(() => ({})), z.unknown()]);
const suiteOrEmpty = orEmpty.pipe(suite);
const caseOrEmpty = orEmpty.pipe(writtenCase);
const report = z
  .object({ testsuites: z.array(suiteOrEmpty).default([]), testsuite: z.array(suiteOrEmpty).default([]) })
  .transform(({ testsuites, testsuite }) => [...testsuites, ...testsuite]);

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
    const parsed: unknown = parser.parse(text);
    const { success, data: suites = [] } = report.safeParse(parsed);
    if (!success || suites.length === 0) return { problem: 'it has neither <testsuites> nor <testsuite> at its top' };
    const unknown = findUnknown('report', parsed);
    return unknown === undefined ? suites : { problem: unknown };
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
  return line === undefined ? undefined : cutText(line, 300);
}
