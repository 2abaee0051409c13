/** What a report says in attributes of how a test ended, in small letters. Whoever does not say it there says it with elements. */
export const statusWords = {
  passed: ['run', 'passed', 'pass', 'ok', 'success', 'successful', 'succeeded', 'completed', 'executed', 'finished', 'flaky'],
  skipped: ['skipped', 'skip', 'notrun', 'disabled', 'suppressed', 'ignored', 'pending', 'todo', 'untested'],
  failed: [
    'failed',
    'fail',
    'failure',
    'error',
    'errored',
    'broken',
    'crashed',
    'timeout',
    'timedout',
    'aborted',
    'cancelled',
    'undefined',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
const allWords: readonly string[] = Object.values(statusWords).flat();

const withoutSay = ['properties', 'system-out', 'system-err', '#text'];
const suiteElements = ['testsuites', 'testsuite', 'testcase', 'failure', 'error', ...withoutSay];
const caseElements = ['failure', 'error', 'skipped', 'flakyFailure', 'flakyError', 'rerunFailure', 'rerunError', ...withoutSay];

/**
 * What of a parsed report cannot be understood, as the end of a sentence: an element or a word that nobody reads could be a failure.
 * Attributes have names that begin with `@`.
 */
export function findUnknown(parent: string, element: unknown): string | undefined {
  if (Array.isArray(element)) return findFirst(element, (each) => findUnknown(parent, each));
  if (typeof element !== 'object' || element === null) return undefined;
  const isCase = parent === 'testcase';
  return findFirst(Object.entries(element), ([name, value]) => {
    // What begins so is an instruction to whoever reads XML, such as the line at its top.
    if (name.startsWith('?')) return undefined;
    if (name.startsWith('@')) return judgeWord(parent, name.slice(1), String(value));
    if (!(isCase ? caseElements : suiteElements).includes(name)) return describeStranger(name, parent);
    return name.startsWith('test') ? findUnknown(name, value) : undefined;
  });
}

function findFirst<T>(all: readonly T[], judge: (each: T) => string | undefined): string | undefined {
  for (const each of all) {
    const found = judge(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

const judgeWord = (parent: string, attribute: string, word: string) =>
  !['status', 'result'].includes(attribute) || allWords.includes(word.toLowerCase())
    ? undefined
    : `it has a <${parent}> with ${attribute}="${word}", and what that says of ${subjectOf(parent)} is not known. Write passed, failed or skipped, or leave it out`;

const describeStranger = (name: string, parent: string) =>
  `it has <${name}> in a <${parent}>, and what that says of ${subjectOf(parent)} is not known. Write it as ${parent === 'testcase' ? 'failure, error or skipped' : 'testsuite, testcase, failure or error'}, or leave it out`;

const subjectOf = (parent: string) => (parent === 'testcase' ? 'the test' : 'its tests');
