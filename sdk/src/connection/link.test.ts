import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { dial } from './dial.ts';
import { createLink } from './link.ts';

test('a call whose signal has aborted already is refused and never sent', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const { port } = server.address() as AddressInfo;
  const link = createLink(await dial({ url: `ws://127.0.0.1:${port}/rpc`, token: 'any', signal: new AbortController().signal }), {
    onNotification: () => {},
    frameBytesMax: 1_000,
    pingMs: 60_000,
  });
  const [peer] = await connected;
  const frame = once(peer, 'message') as Promise<[Buffer]>;

  await expect(link.request('task/claim', {}, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  link.request('task/list', {}).catch(() => undefined);

  expect(JSON.parse(String((await frame)[0]))).toMatchObject({ method: 'task/list' });
  await link.close(1000, '');
  server.close();
});
