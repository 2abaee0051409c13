import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArtifactChangedError, readArtifact } from './read-artifact.ts';

const text = 'line 1\nline 2\n';
const sha256 = createHash('sha256').update(text).digest('hex');
let folder: string;
let file: string;
const server = createServer((request, response) => response.writeHead(request.url === '/there' ? 200 : 404).end(text));
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton artifact '));
  file = join(folder, 'a log.txt');
  await writeFile(file, text);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
});
const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

test('what lies in a file is read and held against its digest', async () => {
  expect((await readArtifact({ uri: pathToFileURL(file).href, sha256 })).toString()).toBe(text);
});

test('what lies on a server too', async () => {
  expect((await readArtifact({ uri: at('/there'), sha256 })).toString()).toBe(text);
});

test('where nobody answers the address is named, and why', async () => {
  const uri = 'http://127.0.0.1:1/there';

  await expect(readArtifact({ uri, sha256 })).rejects.toThrow(/^http:\/\/127\.0\.0\.1:1\/there cannot be read: (?!fetch failed)\S/);
});

test('what has changed is refused, with both digests', async () => {
  const expected = '0'.repeat(64);
  const uri = pathToFileURL(file).href;

  const reading = readArtifact({ uri, sha256: expected });

  await expect(reading).rejects.toBeInstanceOf(ArtifactChangedError);
  await expect(reading).rejects.toMatchObject({ data: { uri, expected, found: sha256 } });
});

test.each([text.length - 1, text.length + 1])('what has not the size that was told is refused, with both: %i', async (sizeBytes) => {
  const reading = readArtifact({ uri: pathToFileURL(file).href, sha256, sizeBytes });

  await expect(reading).rejects.toThrow(`its size in bytes is ${text.length}, and should be ${sizeBytes}`);
});

test('what has the size that was told, or of which none was told, is read', async () => {
  const uri = pathToFileURL(file).href;

  const read = await Promise.all([text.length, 0].map((sizeBytes) => readArtifact({ uri, sha256, sizeBytes })));

  expect(read.map(String)).toEqual([text, text]);
});

test('inline content is its JSON', async () => {
  expect((await readArtifact({ sha256, content: { a: 1 } })).toString()).toBe('{"a":1}');
});

test.each([
  ['is missing', () => at('/nowhere'), '404'],
  ['is a file that is not there', () => pathToFileURL(join(folder, 'none')).href, 'ENOENT'],
  ['has a scheme that cannot be read', () => 's3://bucket/key', 'only file:, http: and https: can'],
  ['is no address', () => 'a log.txt', 'is no address'],
])('what %s is an error that says so', async (_, uri, message) => {
  await expect(readArtifact({ uri: uri(), sha256 })).rejects.toThrow(message);
});

test('what is too large is not read to its end', async () => {
  await expect(readArtifact({ uri: pathToFileURL(file).href, sha256 }, { bytesMax: 5 })).rejects.toThrow('more than 5 bytes');
});
