import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createChanges } from '../../coordinator/src/db/changes.ts';
import { startListening } from '../../coordinator/src/db/listen.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runStatement } from '../support/stores.ts';

/** A way to the database that can be cut, and that can take connections without passing them on. */
async function openGateway(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const state = { mode: 'open' as 'open' | 'cut' | 'mute', attempts: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    state.attempts += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    if (state.mode === 'cut') return socket.destroy();
    if (state.mode === 'mute') return;
    const onward = connect(Number(target.port || 5432), target.hostname);
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    state,
    sockets,
    cut() {
      state.mode = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('what is no hint does no harm, and the next hint is heard', async () => {
  await using database = await createTestDatabase();
  const changes = createChanges({ error: () => undefined });
  const heard: unknown[] = [];
  changes.onChange((change) => void heard.push(change));
  const listening = await startListening({ databaseUrl: database.url, changes, log: { warn: () => undefined } });

  for (const payload of ['', 'no JSON', '{}', 'null', '{"from":"x","change":{"projectId":1}}', '{"from":"x","change":{"projectId":"p"}}'])
    await runStatement(database.url, `notify baton_changes, '${payload}'`);
  await eventually(() => expect(heard).toHaveLength(1));
  await listening.stop();

  expect(heard).toEqual([{ projectId: 'p', isForeign: true }]);
});

test('however long the database is away, one connection for hints is tried at a time', async () => {
  await using database = await createTestDatabase();
  const gateway = await openGateway(database.url);
  const changes = createChanges({ error: () => undefined });
  const listening = await startListening({ databaseUrl: gateway.url, changes, log: { warn: () => undefined } });

  gateway.cut();
  const cutAt = gateway.state.attempts;
  await eventually(() => expect(gateway.state.attempts).toBeGreaterThanOrEqual(cutAt + 3));
  gateway.state.mode = 'mute';
  const muteAt = gateway.state.attempts;
  await eventually(() => expect(gateway.state.attempts).toBeGreaterThan(muteAt));
  // The connection that is taken now stands. Nothing tells that something did not happen: a second loop would come by within one and
  // a half reconnects.
  await sleep(1_600);
  const tried = gateway.sockets.size;
  await Promise.all([listening.stop(), gateway.close()]);

  expect(tried).toBe(1);
});
