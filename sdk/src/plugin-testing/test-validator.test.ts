import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture } from '../plugin-host/plugin-fixture.ts';
import { testValidator, type ValidatorCases } from './test-validator.ts';

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  await fixture.write('tried', {
    short: `for (const { type, content } of artifacts) if (content.text.length > 5) fail('too_long', type); if (artifacts.length === 0) skip('nothing to measure');`,
    fickle: `globalThis.count ??= 0; globalThis.count += artifacts.length; if (artifacts.length > 0 && globalThis.count % 2 === 0) fail('second_time', 'x');`,
    reader: `(await import('node:fs')).readFileSync('/etc/hostname');`,
    slow: `if (artifacts.length > 0) await new Promise((resolve) => setTimeout(resolve, 60_000));`,
    teller: `return { passed: true };`,
    thrower: `if (artifacts.length > 0) artifact.read();`,
    clumsy: `for (const { content } of artifacts) if (content.text === 'exit') process.exit(0); else Object.prototype.polluted = true;`,
  });
});
afterAll(() => fixture.remove());

const check = (name: string, cases: Partial<ValidatorCases>) =>
  testValidator({ name }, { valid: [], invalid: [], folder: join(fixture.folder, 'tried'), ...cases });
const text = (content: string) => ({ artifacts: [{ type: 'note', content: { text: content } }] });

test('cases that hold are silent', async () => {
  await check('short', {
    valid: [{ name: 'a short one', ...text('abc') }],
    invalid: [{ name: 'a long one', ...text('abcdefgh'), codes: ['too_long'] }],
    skipped: [{ name: 'none', reason: 'nothing to measure' }],
  });
});

test('all that do not hold are named, with what was said instead', async () => {
  const checking = check('short', {
    valid: [{ name: 'a long one', ...text('abcdefgh') }],
    invalid: [
      { name: 'a short one', ...text('abc'), codes: ['too_long'] },
      { name: 'another reason', ...text('abcdefgh'), codes: ['too_short'] },
    ],
  });

  await expect(checking).rejects.toThrow(
    'short:\n  a long one: should pass and is fail; too_long: note\n  a short one: should fail and is pass\n  another reason: should fail with too_short, and fails with fail; too_long: note',
  );
});

test('a validator that says something else the second time is found', async () => {
  await expect(check('fickle', { valid: [{ name: 'anything', ...text('abc') }] })).rejects.toThrow(
    'asked again it says something else: pass, then fail; second_time: x',
  );
});

test('the isolation is the real one', async () => {
  await expect(check('reader', { valid: [{ name: 'anything' }] })).rejects.toThrow(
    /anything: should pass and is error; threw: Error: Access to this API has been restricted\. A plugin may read its own package .* \(index\.mjs:\d+\)$/,
  );
});

test('a validator that throws is told with the place where it did', async () => {
  await expect(check('thrower', { valid: [{ name: 'anything', ...text('abc') }] })).rejects.toThrow(
    /anything: should pass and is error; threw: ReferenceError: artifact is not defined \(index\.mjs:\d+\)$/,
  );
});

test('a validator that returns its verdict is told to report instead', async () => {
  await expect(check('teller', { valid: [{ name: 'anything', ...text('abc') }] })).rejects.toThrow(
    'answer_invalid: The validator returned a value. It must report with fail, warn, info or skip and return nothing.',
  );
});

test('a validator that takes too long is told of, with the time', async () => {
  await expect(check('slow', { timeoutMs: 300, valid: [{ name: 'anything', ...text('abc') }] })).rejects.toThrow(
    'anything: should pass and is timeout; timed_out: It was ended after 300 ms without an answer.',
  );
});

test('cases that harm what they run in cost no other, however many there are', async () => {
  const checking = check('clumsy', {
    valid: [{ name: 'first', ...text('exit') }, { name: 'second', ...text('pollute') }, { name: 'none' }],
  });

  await expect(checking).rejects.toThrow(
    /^clumsy:\n  first: should pass and is error; crashed: [^\n]+\n  second: should pass and is error; polluted: [^\n]+$/,
  );
});

test('a case that would arrive as something else is named', async () => {
  const when = new Date(0) as unknown as string;
  const self: unknown[] = [];
  self.push(self);
  const checking = check('short', {
    valid: [
      { name: 'a date', artifacts: [{ type: 'note', content: { at: when } }] },
      { name: 'no number', config: { limit: Number.NaN } },
      { name: 'a gap', config: { list: [1, undefined] as never } },
      { name: 'a circle', config: { list: self as never } },
      { name: 'a function', config: { run: (() => 1) as never } },
    ],
  });

  await expect(checking).rejects.toThrow(
    [
      'short:',
      '  a date: the case cannot be sent as JSON: artifacts[0].content.at is a Date',
      '  no number: the case cannot be sent as JSON: config.limit is NaN',
      '  a gap: the case cannot be sent as JSON: config.list[1] is undefined',
      '  a circle: the case cannot be sent as JSON: config.list[0] holds itself',
      '  a function: the case cannot be sent as JSON: config.run is a function',
    ].join('\n'),
  );
});

test('a folder without a plugin is named, with what to say', async () => {
  await expect(check('short', { folder: fixture.folder })).rejects.toThrow(
    `${join(fixture.folder, 'package.json')} is not the package.json of a plugin, with its name. Say where it is: folder: new URL('.', import.meta.url).`,
  );
});

test('a validator that the manifest does not list is named', async () => {
  await expect(check('unlisted', {})).rejects.toThrow('does not list the validator unlisted under baton.validators');
});
