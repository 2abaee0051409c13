import { once } from 'node:events';
import { WebSocket } from 'ws';
import { patienceMs } from '../support/eventually.ts';

export interface RawAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
}

/** A connection that adds nothing to what it sends, and counts what comes back. */
export interface RawCaller {
  /** Fails where no answer comes, or more than one has come for an earlier call. */
  call(method: string, params: unknown): Promise<{ readonly answer: RawAnswer; readonly text: string }>;
  close(): Promise<void>;
}

export async function openRawCaller(url: string, token: string): Promise<RawCaller> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const waiting = new Map<number, (text: string) => void>();
  const unasked: string[] = [];
  let closed: string | undefined;
  let lastId = 0;

  socket.on('message', (message: Buffer) => {
    const text = message.toString();
    const { id, method } = JSON.parse(text) as { id?: number; method?: string };
    if (method !== undefined) return;
    const take = waiting.get(id ?? 0);
    if (take === undefined) unasked.push(text);
    else {
      waiting.delete(id ?? 0);
      take(text);
    }
  });
  socket.on('close', (code, reason) => {
    closed = `The connection was closed with ${code} ${reason.toString()}`;
  });
  await once(socket, 'open');
  socket.on('error', () => {});

  return {
    async call(method, params) {
      if (closed !== undefined) throw new Error(closed);
      const id = (lastId += 1);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const timer = setTimeout(() => reject(new Error(closed ?? `No answer within ${patienceMs} ms.`)), patienceMs);
      const onClose = () => reject(new Error(closed));
      socket.once('close', onClose);
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      try {
        const text = await promise;
        if (unasked.length > 0) throw new Error(`Answers that nothing was asked for: ${unasked.splice(0).join(' ')}`);
        return { answer: JSON.parse(text) as RawAnswer, text };
      } finally {
        clearTimeout(timer);
        socket.off('close', onClose);
      }
    },
    async close() {
      if (closed !== undefined) return;
      const gone = once(socket, 'close');
      socket.terminate();
      await gone;
    },
  };
}
