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
  const config = { model: 'big', options: { apiKey: 'sk-123456', baseURL: 'http://x', headers: { 'x-who': 'me-too' } } };

  expect(withoutSecrets(config)).toEqual({ model: 'big', options: { baseURL: 'http://x' } });
  expect(hideSecrets('big at http://x refused sk-123456 of me-too', config)).toBe('big at http://x refused … of …');
});
