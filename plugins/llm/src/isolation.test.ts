import { fileURLToPath } from 'node:url';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '@baton/sdk/plugin';
import { createPluginHost, type PluginHost } from '@baton/sdk/plugin/host';
import { makeItem } from '@baton/sdk/plugin/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const statements = [{ text: 'In short: Answers within 50 ms.', citations: ['c:1'] }];

/** What a server that speaks like OpenAI's would answer, to those that know its key. */
let server: Server;
let host: PluginHost;
beforeAll(async () => {
  server = createServer((request, response) => {
    const isKnown = request.headers.authorization === 'Bearer key-of-the-test';
    const said = isKnown
      ? {
          id: '1',
          created: 0,
          model: 'm',
          choices: [{ index: 0, message: { role: 'assistant', content: JSON.stringify({ statements }) }, finish_reason: 'stop' }],
        }
      : { error: { message: `The key ${request.headers.authorization} is not known.` } };
    request.resume().on('end', () => {
      response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  host = await createPluginHost({
    plugins: ['./plugins/llm'],
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    log: { debug() {}, warn() {}, error() {} },
    limits: { threadsMax: 1, memoryMb: 256, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 65_536 },
  });
});
afterAll(async () => {
  await host.stop();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const item = makeItem({ kind: 'constraint', text: 'Answers within 50 ms.' });
const summarize = (config: JsonObject) => host.summarize({ use: 'llm', config, items: [item], budgetTokens: 100 });
const baseURL = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;

test('a provider that the configuration names is loaded where plugins run, and its model asked with the key', async () => {
  const config = {
    provider: '@ai-sdk/openai-compatible',
    model: 'm',
    options: { baseURL: baseURL() },
    secrets: { apiKey: 'key-of-the-test' },
  };

  expect(await summarize(config)).toEqual({ outcome: 'ok', text: 'In short: Answers within 50 ms. [c:1]', citations: ['c:1'] });
});

test.each<[string, JsonObject, RegExp]>([
  ['no configuration', {}, /No model is set: the file that BATON_SUMMARIZER_CONFIG_FILE names needs "provider" and "model"/],
  ['no key', { provider: '@ai-sdk/openai', model: 'm' }, /There is no key for @ai-sdk\/openai: .*"secrets": \{ "apiKey"/],
  ['a provider that is not declared', { provider: '@ai-sdk/none', model: 'm', secrets: { apiKey: 'k' } }, /@ai-sdk\/none cannot be loaded/],
  ['a package that is none', { provider: 'zod', model: 'm', secrets: { apiKey: 'k' } }, /zod is no provider of the AI SDK/],
  [
    'a key among the options',
    { options: { apiKey: 'sk-1234' } },
    /^The configuration does not fit: options\.apiKey: is a secret: put it under "secrets"\.$/,
  ],
  [
    'a password in an address',
    { options: { baseURL: 'https://ada:pass-word@127.0.0.1' } },
    /^The configuration does not fit: options\.baseURL: has a name or a password in it: (?!.*pass-word)/,
  ],
  [
    'a token in an address',
    { options: { baseURL: 'https://tok-en@127.0.0.1' } },
    /options\.baseURL: has a name or a password in it: (?!.*tok-en)/,
  ],
  ['a field that it does not know', { modell: 'm' }, /The configuration does not fit: .*modell/],
])('%s is an error that says so', async (_, config, message) => {
  expect(await summarize(config)).toEqual({ outcome: 'error', message: expect.stringMatching(message) });
});

test.each(['anthropic', 'azure', 'google', 'mistral', 'openai', 'openai-compatible'])(
  'the provider %s is loaded and asked',
  async (name) => {
    const { port } = server.address() as AddressInfo;
    const options = { baseURL: `http://127.0.0.1:${port}` };

    expect(await summarize({ provider: `@ai-sdk/${name}`, model: 'm', options, secrets: { apiKey: 'unknown' } })).toEqual({
      outcome: 'error',
      message: expect.stringMatching(/^AI_/),
    });
  },
);

test('a key that the provider refuses is an error with its words', async () => {
  const config = { provider: '@ai-sdk/openai-compatible', model: 'm', options: { baseURL: baseURL() }, secrets: { apiKey: 'wrong' } };

  expect(await summarize(config)).toEqual({ outcome: 'error', message: expect.stringContaining('is not known') });
});
