import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

interface Message {
  readonly method?: unknown;
  readonly id?: unknown;
}

/**
 * What a server looks like that was written without the specification: it answers notifications, tells the message of its
 * exceptions, knows no batches, turns ids into text, and forgets one kind of call.
 */
function answer(frame: string): string | undefined {
  let message: Message | null;
  try {
    message = JSON.parse(frame) as Message | null;
  } catch (error) {
    return JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32700, message: String(error) } });
  }
  if (message?.method === 'rpc.unknown') return undefined;
  if (message?.method === 'coordinator/info' || message?.method === 'lock/check') {
    return JSON.stringify({ jsonrpc: '2.0', id: String(message?.id), result: { valid: false } });
  }
  return JSON.stringify({ jsonrpc: '2.0', id: message?.id ?? null, error: { code: -32601, message: 'Not found' } });
}

export interface WrongServer extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startWrongServer(): Promise<WrongServer> {
  const server = createServer((request, response) => {
    void text(request).then((frame) => {
      const said = answer(frame);
      if (said !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(said);
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (message: Buffer) => {
      const said = answer(message.toString());
      if (said !== undefined) socket.send(said);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop, [Symbol.asyncDispose]: stop };
}
