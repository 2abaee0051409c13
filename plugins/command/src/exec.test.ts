import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testValidator, type ValidatorCase } from '@baton/sdk/plugin/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDocument } from './read-document.ts';

const script = `
import json, sys
asked = json.load(sys.stdin)
word = asked["config"]["word"]
pages = [one for one in asked["artifacts"] if one["type"] == "page"]
if not pages:
    json.dump({"skip": "There is no page in " + asked["facts"]["phase"] + "."}, sys.stdout)
    sys.exit()
findings = []
for page in pages:
    for number, text in enumerate(page["content"].splitlines(), 1):
        if word in text:
            findings.append({"severity": "fail", "code": "word_found", "message": word + " stands there.", "path": page["name"], "line": number})
    findings.append({"severity": "info", "code": "read", "message": "It was read.", "path": None})
json.dump({"findings": findings}, sys.stdout)
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton exec '));
  await writeFile(join(folder, 'word.py'), script);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const page = (content: string) => [{ type: 'page', name: 'index', content }];
const own = new URL('..', import.meta.url);

test('a program in Python is a validator', async () => {
  const config = { command: ['python3', 'word.py'], cwd: folder, config: { word: 'draft' } };

  await testValidator(
    { name: 'exec' },
    {
      folder: own,
      valid: [{ name: 'done', config, artifacts: page('All is said.') }],
      invalid: [{ name: 'a draft, twice', config, artifacts: page('one\ndraft\ntwo draft'), codes: ['word_found', 'word_found'] }],
      skipped: [{ name: 'no page', config, reason: 'There is no page in IMPLEMENTATION.' }],
    },
  );
});

describe('what is no answer is an error, which is no pass', () => {
  test.each([
    [
      'an exit code',
      `console.log('{"findings":[]}'); console.error('out of cheese'); process.exitCode = 3`,
      /ended with exit code 3:\nout of cheese/,
    ],
    ['a signal', `process.kill(process.pid, 'SIGKILL')`, /ended with signal SIGKILL\./],
    ['nothing', ``, /It printed nothing on standard output/],
    ['no JSON', `console.log('all is well')`, /is not one JSON document/],
    ['two documents', `console.log('{"findings":[]}\\n{"findings":[]}')`, /is not one JSON document/],
    ['no findings', `console.log('{"finding":[]}')`, /does not fit: [^]*Unrecognized key: "finding"/],
    ['an empty document', `console.log('{}')`, /neither `findings` nor `skip` is there/],
    ['another severity', `console.log('{"findings":[{"severity":"fatal","code":"c","message":"m"}]}')`, /findings\[0\]\.severity/],
    ['too much', `console.log(JSON.stringify({ findings: [], skip: 'x'.repeat(1024 * 1024) }))`, /more than the 1048576 bytes/],
    ['no program', undefined, /no-such-program-here cannot be started/],
  ])('%s', async (name, code, message) => {
    const command = code === undefined ? ['no-such-program-here'] : [process.execPath, '-e', code];
    const each: ValidatorCase = { name, config: { command } };

    const checking = testValidator({ name: 'exec' }, { folder: own, valid: [each], invalid: [] });

    await expect(checking).rejects.toThrow(message);
    await expect(checking).rejects.toThrow('should pass and is error');
  });

  test('an answer that takes too long is a timeout', async () => {
    const config = { command: [process.execPath, '-e', 'setTimeout(() => {}, 60_000)'], timeoutMs: 100 };

    await expect(testValidator({ name: 'exec' }, { folder: own, valid: [{ name: 'slow', config }], invalid: [] })).rejects.toThrow(
      'slow: should pass and is timeout',
    );
  });
});

test('what other languages write for nothing is nothing', () => {
  const stdout = '{"findings":[{"severity":"warn","code":"c","message":"m","path":null,"line":null}],"skip":null}';

  expect(readDocument({ stdout, isCut: false })).toEqual({
    findings: [{ severity: 'warn', code: 'c', message: 'm', path: undefined, line: undefined }],
    skip: undefined,
  });
});
