import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '@baton/sdk/connection';
import { expect, test } from 'vitest';
import { createTestCertificate } from '../support/certificate.ts';
import { createTestDataFolder, createTestFolder } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { openFixtureAgent } from '../support/fixture-agent.ts';
import { spawnBaton, spawnDaemon } from '../support/process.ts';

test('baton up with a certificate is reached over wss and https by all commands', async () => {
  await using folder = await createTestDataFolder();
  await using pems = await createTestFolder();
  const [certFile, keyFile] = [join(pems.path, 'cert.pem'), join(pems.path, 'key.pem')];
  const { cert, key } = createTestCertificate();
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);

  await using daemon = await spawnDaemon(['--data', folder.path, '--host', '0.0.0.0', '--tls-cert', certFile, '--tls-key', keyFile]);
  const { url, httpUrl, tokenFile } = daemon.ready;
  await using connection = await connect({ url, tokenFile, ca: cert, reconnect: false });
  const [trusting, wary] = await Promise.all([
    spawnBaton(['status', '--data', folder.path, '--json'], { env: { NODE_EXTRA_CA_CERTS: certFile } }),
    spawnBaton(['status', '--data', folder.path]),
  ]);

  expect(url).toMatch(/^wss:\/\/localhost:\d+\/rpc$/);
  expect(httpUrl).toMatch(/^https:\/\/localhost:\d+$/);
  expect(JSON.parse(await readFile(join(folder.path, 'coordinator.json'), 'utf8'))).toMatchObject({ url, httpUrl });
  expect((await connection.client.coordinator.info()).role).toBe('admin');
  expect(trusting).toMatchObject({ code: 0, stderr: '' });
  expect(wary).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string });
});

test('an agent beats over https, and trusts the authority that it is given', async () => {
  await using folder = await createTestDataFolder();
  await using pems = await createTestFolder();
  const [certFile, keyFile] = [join(pems.path, 'cert.pem'), join(pems.path, 'key.pem')];
  const { cert, key } = createTestCertificate();
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  await using daemon = await spawnDaemon(['--data', folder.path, '--tls-cert', certFile, '--tls-key', keyFile], {
    env: { BATON_HEARTBEAT_MS: '200' },
  });
  const token = (await readFile(daemon.ready.tokenFile, 'utf8')).trim();

  await using agent = await openFixtureAgent({ url: daemon.ready.url, token }, { ca: cert });

  // One that fails, as a busy machine may let it, is made up for on the connection and told as well.
  const beats = () => agent.activities.items.filter(({ kind }) => kind === 'beat').length;
  const failures = () => agent.lines.items.filter((line) => line.startsWith('a heartbeat failed')).length;
  await eventually(() => expect(beats()).toBeGreaterThan(failures()));
});

test('baton up where others could listen in is refused at once, with what to do', async () => {
  await using folder = await createTestFolder();

  const { code, stdout, stderr } = await spawnBaton(['up', '--data', join(folder.path, 'data'), '--host', '0.0.0.0', '--port', '0']);

  expect(code).not.toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/0\.0\.0\.0.*needs TLS.*--tls-cert and --tls-key/);
});
