import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hideSecrets, readSummarizerConfig, withoutSecrets } from './summarizer-config.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeConfig(name: string, text: string, mode = 0o600): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

test('without a file the summarizer is given nothing', async () => {
  expect(await readSummarizerConfig(undefined)).toEqual({});
});

test('a file that its owner alone may read is given as it is', async () => {
  expect(await readSummarizerConfig(await writeConfig('a.json', '{"model":"m","options":{"apiKey":"sk-1"}}'))).toEqual({
    model: 'm',
    options: { apiKey: 'sk-1' },
  });
});

test.each([
  ['a file that others may read', '{"apiKey":"sk-secret"}', 0o644, /others may read .*chmod 600/],
  ['a file that is no JSON', '{"apiKey":"sk-secret",}', 0o600, /is not a JSON object\.$/],
  ['a file with a list', '["sk-secret"]', 0o600, /is not a JSON object\.$/],
])('%s is refused, without what is in it', async (name, text, mode, reason) => {
  const reading = readSummarizerConfig(await writeConfig(name, text, mode));

  await expect(reading).rejects.toThrow(reason);
  await expect(reading).rejects.not.toThrow(/sk-secret/);
});

test('a file that is not there is named', async () => {
  await expect(readSummarizerConfig(join(folder, 'none.json'))).rejects.toThrow(
    /BATON_SUMMARIZER_CONFIG_FILE\): there is no file .*none\.json/,
  );
});

test('secrets are neither told apart by nor shown', () => {
  const secrets = { apiKey: 'sk-123456', headers: { authorization: 'Basic dTpw/w==', 'x-who': ['me-too'] } };
  const config = { model: 'big', inputTokensMax: 500, options: { tokenizer: 'small' }, secrets };

  expect(withoutSecrets(config)).toEqual({ model: 'big', inputTokensMax: 500, options: { tokenizer: 'small' } });
  expect(hideSecrets('big and small refused sk-123456 of me-too', config)).toBe('big and small refused … of …');
  expect(hideSecrets('?auth=Basic%20dTpw%2Fw%3D%3D', config)).toBe('?auth=…');
});

test('of a secret that has another one in it nothing is left', () => {
  expect(hideSecrets('refused: team-key-1234', { secrets: { team: 'team-key', whole: 'team-key-1234' } })).toBe('refused: …');
});

test('a secret with quotes is hidden where it is quoted', () => {
  expect(hideSecrets('{"key":"a\\"b\\\\c"}', { secrets: ['a"b\\c'] })).toBe('{"key":"…"}');
});
