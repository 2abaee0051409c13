import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { connect } from '@baton/sdk/connection';
import { expect, test } from 'vitest';
import { createTestDatabase, createTestDataFolder, createTestFolder } from '../support/database.ts';
import { spawnBaton, spawnDaemon } from '../support/process.ts';

test('baton up --json prints one line when it is ready, and SIGTERM ends it with exit code 0', async () => {
  await using folder = await createTestDataFolder();
  const daemon = await spawnDaemon(['--data', folder.path]);
  await using connection = await connect({ url: daemon.ready.url, tokenFile: daemon.ready.tokenFile, reconnect: false });
  const { durability } = await connection.client.coordinator.info();

  daemon.kill('SIGTERM');
  const { code, stdout } = await daemon.exited;

  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(daemon.ready).toMatchObject({ pid: daemon.pid, dataDir: folder.path, durability: { store: 'embedded', survivesPowerLoss: 'no' } });
  expect(durability).toEqual(daemon.ready.durability);
});

test('the token is for its owner only', async () => {
  await using folder = await createTestFolder('data');
  await using database = await createTestDatabase();
  await using daemon = await spawnDaemon(['--data', folder.path, '--database-url', database.url]);

  const { mode } = statSync(daemon.ready.tokenFile);

  expect((mode & 0o777).toString(8)).toBe('600');
});

test('a second opener of a data folder is refused with the pid of the holder', async () => {
  await using folder = await createTestDataFolder();
  await using daemon = await spawnDaemon(['--data', folder.path]);

  const second = await spawnBaton(['up', '--port', '0', '--data', folder.path]);

  expect(second.code).not.toBe(0);
  expect(second.stderr).toContain(String(daemon.pid));
  expect(second.stderr).toContain(folder.path);
});

test('after kill -9 the folder can be opened again, and what was acknowledged is there', async () => {
  await using folder = await createTestDataFolder();
  const first = await spawnDaemon(['--data', folder.path]);
  const connection = await connect({ url: first.ready.url, tokenFile: first.ready.tokenFile, reconnect: false });
  const ticket = await connection.client.ticket.create({ title: 'Survive' });
  first.kill('SIGKILL');
  await first.exited;
  await connection.close();

  await using second = await spawnDaemon(['--data', folder.path]);
  await using again = await connect({ url: second.ready.url, tokenFile: second.ready.tokenFile, reconnect: false });

  expect((await again.client.ticket.get({ ticketId: ticket.id })).title).toBe('Survive');
});

test('a port in use is said so, with its number', async () => {
  await using folder = await createTestDataFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };

  const refused = await spawnBaton(['up', '--port', String(port), '--data', folder.path]);
  server.close();

  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(String(port));
});

test('a database that cannot be reached is said so, without its password', async () => {
  await using folder = await createTestFolder('data');

  const refused = await spawnBaton([
    'up',
    '--port',
    '0',
    '--data',
    folder.path,
    '--database-url',
    'postgres://baton:hush@127.0.0.1:1/nowhere',
  ]);

  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/127\.0\.0\.1/);
  expect(refused.stderr).not.toContain('hush');
});
