import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Door {
  readonly url: string;
  readonly token: string;
}

/** A client that is a socket and JSON, and nothing else: what any language can do without a library. */
export interface RawClient {
  call<Result>(method: string, params: unknown): Promise<Result>;
  close(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export async function openRawClient({ url, token }: Door): Promise<RawClient> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
  await once(socket, 'open');
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let calls = 0;
  socket.on('message', (frame: Buffer) => {
    const { id, result, error } = JSON.parse(frame.toString()) as Answer;
    const call = waiting.get(id ?? 0);
    waiting.delete(id ?? 0);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error.message));
  });
  socket.on('close', () => {
    for (const call of waiting.values()) call.reject(new Error('The connection has ended.'));
  });
  return {
    call<Result>(method: string, params: unknown) {
      const id = (calls += 1);
      const call = Promise.withResolvers<unknown>();
      waiting.set(id, call);
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      return call.promise as Promise<Result>;
    },
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
