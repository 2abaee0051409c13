import type { WebSocket } from 'ws';

export interface CloseCause {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket as a way for texts: whole messages in, whole messages out, and one end. */
export interface Channel {
  /** Does nothing once the channel is closed. */
  send(text: string): void;
  /** At most one listener. */
  onText(listener: (text: string) => void): void;
  /** Runs when the channel closes, on whichever side; at once if it has. */
  onClose(listener: (cause: CloseCause) => void): void;
  close(code: number, reason: string): void;
  readonly isClosed: boolean;
}

export interface ChannelOptions {
  /** How much may wait behind the message that is being written. Beyond it the other side reads too slowly and is cut off with 4008. */
  readonly outgoingBytesMax: number;
}

/** The other side does not read what it is sent. It may come back and take up where it was. */
export const tooSlowCode = 4008;

/** The token that opened the connection has been revoked or has expired. Another token may open another. */
export const tokenEndedCode = 4001;

/** How long a peer may take to answer a close before the socket is destroyed. */
const closeTimeoutMs = 2_000;

export function openChannel(socket: WebSocket, { outgoingBytesMax }: ChannelOptions): Channel {
  const closeListeners: ((cause: CloseCause) => void)[] = [];
  let closedBy: CloseCause | undefined;
  // `bufferedAmount` can read 0 while memory grows, so what was not acknowledged is counted here.
  const unsent: number[] = [];
  let unsentBytes = 0;

  function finish(cause: CloseCause): void {
    if (closedBy !== undefined) return;
    closedBy = cause;
    for (const listener of closeListeners.splice(0)) listener(cause);
  }
  function close(code: number, reason: string): void {
    if (closedBy !== undefined) return;
    socket.close(code, reason);
    const timer = setTimeout(() => socket.terminate(), closeTimeoutMs);
    socket.once('close', () => clearTimeout(timer));
    finish({ code, reason });
  }

  socket.once('close', (code, reason) => finish({ code, reason: reason.toString() }));
  // ws closes the socket by itself after an error; `close` tells the rest.
  socket.on('error', () => {});

  return {
    get isClosed() {
      return closedBy !== undefined;
    },
    send(text) {
      if (closedBy !== undefined) return;
      const bytes = Buffer.byteLength(text);
      unsent.push(bytes);
      unsentBytes += bytes;
      // The message being written does not count: one answer may be larger than the queue.
      if (unsentBytes - (unsent[0] ?? 0) > outgoingBytesMax) {
        close(tooSlowCode, 'The connection is not read fast enough.');
        return;
      }
      socket.send(text, () => {
        unsentBytes -= unsent.shift() ?? 0;
      });
    },
    onText(listener) {
      socket.on('message', (message: Buffer, isBinary) => {
        if (closedBy !== undefined) return;
        if (isBinary) close(1003, 'Only text frames are understood.');
        else listener(message.toString('utf8'));
      });
    },
    onClose(listener) {
      if (closedBy === undefined) closeListeners.push(listener);
      else listener(closedBy);
    },
    close,
  };
}

/** Ends a socket whose other side has gone without a word. Answering a ping, or sending anything, is a sign of life. */
export function keepAlive(socket: WebSocket, pingMs: number): void {
  let isAlive = true;
  const noteLife = () => {
    isAlive = true;
  };
  socket.on('pong', noteLife);
  socket.on('ping', noteLife);
  socket.on('message', noteLife);
  const timer = setInterval(() => {
    // After a pause of ours the pong may lie unread in the socket: read first, then judge.
    setImmediate(() => {
      if (socket.readyState !== socket.OPEN) return;
      if (!isAlive) {
        socket.terminate();
        return;
      }
      isAlive = false;
      socket.ping();
    });
  }, pingMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
