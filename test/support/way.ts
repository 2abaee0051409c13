import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface Way extends AsyncDisposable {
  readonly url: string;
  /** Breaks what is connected. Whoever comes again is let through. */
  cut(): void;
  /** Breaks what is connected and lets nobody through. */
  close(): void;
  open(): void;
}

/** A way to a coordinator that can be cut. */
export async function openWay(url: string): Promise<Way> {
  const { hostname, port, pathname } = new URL(url);
  const sockets = new Set<Socket>();
  let isOpen = true;
  const cut = () => sockets.forEach((socket) => socket.destroy());
  const server: Server = createServer((near) => {
    if (!isOpen) return void near.destroy();
    const far = createConnection(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The way has no port.');
  return {
    url: `ws://127.0.0.1:${address.port}${pathname}`,
    cut,
    close() {
      isOpen = false;
      cut();
    },
    open() {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
