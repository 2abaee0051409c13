import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTcp } from 'node:net';
import { createClient } from '@baton/protocol';
import { callOverHttp, connect } from '@baton/sdk/connection';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCertificate } from '../../../test/support/certificate.ts';
import { createTestFolder, type TestFolder } from '../../../test/support/database.ts';
import { known, startTestWire, type TestHandlers } from '../../../test/support/test-wire.ts';
import { advertisedHost, knownHosts, readTls, type Tls } from './tls.ts';

const info: TestHandlers = {
  'coordinator/info': () => ({
    name: 'baton',
    version: '1',
    uptimeMs: 1,
    project: 'default',
    role: 'admin',
    durability: { store: 'embedded', survivesProcessCrash: true, survivesPowerLoss: 'no', explanation: 'It is a test.' },
  }),
};

let folder: TestFolder;
let tls: Tls;
let ca: string;
const files = { tlsCert: '', tlsKey: '' };
beforeAll(async () => {
  folder = await createTestFolder();
  const { cert, key } = createTestCertificate(['localhost', '127.0.0.1', 'baton.example']);
  ca = cert;
  files.tlsCert = join(folder.path, 'cert.pem');
  files.tlsKey = join(folder.path, 'key.pem');
  await writeFile(files.tlsCert, cert);
  await writeFile(files.tlsKey, key);
  tls = (await readTls({ host: '0.0.0.0', ...files }))!;
});
afterAll(() => folder.remove());

describe('with a certificate', () => {
  test('calls are answered over wss and https to whoever trusts it', async () => {
    await using wire = await startTestWire(info, {}, { tls });
    await using connection = await connect({ url: wire.url, token: known.token, ca, reconnect: false });
    const overHttp = createClient(callOverHttp({ url: wire.httpUrl, token: known.token, ca }));

    expect(wire).toMatchObject({ url: `wss://127.0.0.1:${wire.port}/rpc`, httpUrl: `https://127.0.0.1:${wire.port}` });
    expect((await connection.client.coordinator.info()).name).toBe('baton');
    expect((await overHttp.coordinator.info()).name).toBe('baton');
  });

  test('who does not trust it is told so, and what to do', async () => {
    await using wire = await startTestWire(info, {}, { tls });
    const untrusted = { failure: 'untrusted', message: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string };

    await expect(connect({ url: wire.url, token: known.token, reconnect: false })).rejects.toMatchObject(untrusted);
    await expect(createClient(callOverHttp({ url: wire.httpUrl, token: known.token })).coordinator.info()).rejects.toMatchObject(untrusted);
  });

  test('all addresses may be listened at, and the name told is one that the certificate is for', async () => {
    await using wire = await startTestWire(info, { host: '0.0.0.0' }, { tls });
    await using connection = await connect({ url: wire.url, token: known.token, ca, reconnect: false });

    expect(wire.url).toBe(`wss://localhost:${wire.port}/rpc`);
    expect((await connection.client.coordinator.info()).name).toBe('baton');
  });

  test('nothing is answered in the clear', async () => {
    await using wire = await startTestWire(info, {}, { tls });
    const socket = connectTcp(wire.port, '127.0.0.1').on('error', () => {});

    socket.write(`GET /health HTTP/1.1\r\nHost: localhost:${wire.port}\r\n\r\n`);
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
    await once(socket, 'close');

    expect(heard).not.toContain('HTTP/1.1 200');
  });

  test('a page that was not encrypted gets no connection', async () => {
    await using wire = await startTestWire(info, {}, { tls });
    const host = `localhost:${wire.port}`;
    const socket = new WebSocket(wire.url, { ca, headers: { authorization: `Bearer ${known.token}`, host, origin: `http://${host}` } });
    const [request, response] = (await once(socket, 'unexpected-response')) as [{ destroy(): void }, { statusCode: number }];
    socket.once('error', () => {});
    request.destroy();

    expect(response.statusCode).toBe(403);
  });
});

describe('a bind', () => {
  test.each(['0.0.0.0', '::', '192.168.1.7', 'example.com'])('to %s without TLS is refused with what to do', async (host) => {
    await expect(readTls({ host, tlsCert: undefined, tlsKey: undefined })).rejects.toThrow(
      /needs TLS.*--tls-cert and --tls-key.*--host 127\.0\.0\.1/,
    );
  });

  test('to this machine needs none', async () => {
    expect(await readTls({ host: '127.0.0.1', tlsCert: undefined, tlsKey: undefined })).toBeUndefined();
  });

  test('with half of what TLS needs names the other half', async () => {
    await expect(readTls({ host: '127.0.0.1', tlsCert: files.tlsCert, tlsKey: undefined })).rejects.toThrow('--tls-key');
  });

  test('with a file that is not there names it', async () => {
    await expect(readTls({ host: '127.0.0.1', ...files, tlsKey: '/nowhere/key.pem' })).rejects.toThrow(/--tls-key.*\/nowhere\/key\.pem/);
  });

  test('with the key of another certificate is refused', async () => {
    const tlsKey = join(folder.path, 'other.pem');
    await writeFile(tlsKey, createTestCertificate().key);

    await expect(readTls({ host: '127.0.0.1', ...files, tlsKey })).rejects.toThrow(/not a certificate and its key/);
  });
});

describe('the names a coordinator answers to', () => {
  const isOurs = (name: string, config: { host?: string; publicHosts?: string[] } = {}) =>
    knownHosts({ host: '0.0.0.0', publicHosts: [], ...config }, tls).isOurs(name);

  test('are those of its certificate, the one it listens at, and those it was given', () => {
    expect(isOurs('baton.example')).toBe(true);
    expect(isOurs('192.168.1.7', { host: '192.168.1.7' })).toBe(true);
    expect(isOurs('build.example', { publicHosts: ['Build.example'] })).toBe(true);
    expect(isOurs('evil.example', { publicHosts: ['build.example'] })).toBe(false);
  });

  test('are told to others only where the certificate is for them', () => {
    expect(advertisedHost({ host: '127.0.0.1', publicHosts: [] }, tls)).toBe('127.0.0.1');
    expect(advertisedHost({ host: '0.0.0.0', publicHosts: ['build.example', 'baton.example'] }, tls)).toBe('baton.example');
    expect(advertisedHost({ host: '127.0.0.1', publicHosts: ['build.example'] }, undefined)).toBe('127.0.0.1');
  });
});
