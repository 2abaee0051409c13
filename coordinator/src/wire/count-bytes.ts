import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** What went over the sockets of a server since it began, as the sockets count it. */
export interface ByteCounts {
  received(): number;
  sent(): number;
}

/** Asks the open sockets only when somebody wants to know, so that no frame pays for it. */
export function countBytes(server: Pick<Server, 'on'>): ByteCounts {
  const open = new Set<Socket>();
  const gone = { received: 0, sent: 0 };
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      gone.received += socket.bytesRead;
      gone.sent += socket.bytesWritten;
    });
  });
  return {
    received: () => [...open].reduce((sum, { bytesRead }) => sum + bytesRead, gone.received),
    sent: () => [...open].reduce((sum, { bytesWritten }) => sum + bytesWritten, gone.sent),
  };
}
