import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Door, DoorOptions, Heard, Line } from './door.ts';

/** Each conversation has a connection of its own; each frame is a message on it. */
export function socketDoor(options: DoorOptions): Door {
  return { name: 'websocket', open: () => open(options) };
}

async function open({ url, token, timeoutMs, quietMs }: DoorOptions): Promise<Line> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
  });
  const texts: string[] = [];
  const watchers = new Set<() => void>();
  let closedWith: number | undefined;
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  socket.on('message', (message: Buffer) => {
    texts.push(message.toString());
    changed();
  });
  socket.on('close', (code) => {
    closedWith = code;
    changed();
  });
  await once(socket, 'open');
  // Later ones come with a close, which tells.
  socket.on('error', () => {});

  /** Settles when it is so, or the connection is closed, or it has taken too long. */
  async function until(isSo: () => boolean): Promise<void> {
    const waited = Promise.withResolvers<void>();
    const look = () => {
      if (isSo() || closedWith !== undefined) waited.resolve();
    };
    const timer = setTimeout(waited.resolve, timeoutMs);
    watchers.add(look);
    look();
    await waited.promise;
    watchers.delete(look);
    clearTimeout(timer);
  }

  let probes = 0;
  /** A call that every implementation answers, to know that it has come past all that was sent before. */
  async function probe(): Promise<void> {
    const id = `probe-${(probes += 1)}`;
    const find = () => texts.findIndex((text) => text.includes(`"${id}"`));
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'rpc.probe', id }));
    await until(() => find() >= 0);
    if (find() >= 0) texts.splice(find(), 1);
    else if (closedWith === undefined) throw new Error(`the connection answers nothing any more, within ${timeoutMs} ms`);
  }

  return {
    async exchange(sent, expected): Promise<Heard> {
      for (const { kind, bytes } of sent) socket.send(bytes, { binary: kind === 'binary' });
      const count = () => texts.filter(isAnswer).length;
      await until(() => !expected.close && count() >= expected.texts);
      if (expected.close || closedWith !== undefined) return { texts: texts.splice(0).filter(isAnswer), closedWith };
      await probe();
      await sleep(quietMs);
      return { texts: texts.splice(0).filter(isAnswer), closedWith };
    },
    async close() {
      if (closedWith !== undefined) return;
      const closed = once(socket, 'close');
      socket.terminate();
      await closed;
    },
  };
}

// What the implementation tells unasked belongs to no call.
const isAnswer = (text: string): boolean => !/^\{[^[{]*"method":/.test(text);
