import { CoordinatorError } from '@baton/protocol';
import type { Message, ResponseMessage } from 'vscode-jsonrpc/node';
import type { Channel } from './channel.ts';
import { type FrameMessage, readFrame } from './frames.ts';
import { createMessageStream, type MessageStream } from './message-stream.ts';
import { type ErrorObject, toErrorObject } from './wire-errors.ts';

export interface ClientStreamOptions {
  /** What the coordinator takes at most. A larger call is refused here: sent, it would cost the connection and all its calls. */
  readonly frameBytesMax: number;
}

/** Answers may nest what callers stored inside what the coordinator puts around it. */
const limits = { frameDepthMax: 128, batchMax: 10_000, isTrusted: true };

/** The side that asks. */
export function createClientStream(channel: Channel, { frameBytesMax }: ClientStreamOptions): MessageStream {
  let answer: (message: Message) => void = () => {};

  function read(text: string, deliver: (message: Message) => void): void {
    for (const message of readFrame(text, limits).messages) take(message, deliver);
  }

  function take(message: FrameMessage, deliver: (message: Message) => void): void {
    switch (message.type) {
      case 'response':
        // An answer without an id is to something that was not understood, and nothing here waits for it.
        if (message.id !== null) deliver(toResponse(message.id, message));
        return;
      case 'notification':
        deliver({ jsonrpc: '2.0', ...pick(message) });
        return;
      case 'request':
        // The coordinator tells and answers; it asks nothing.
        channel.send(JSON.stringify({ jsonrpc: '2.0', id: message.id, error: toErrorObject(new CoordinatorError('method_unknown')) }));
        return;
      case 'dropped':
        return;
      case 'refused':
        channel.close(1002, 'That was not JSON-RPC 2.0.');
    }
  }

  function write(message: Message): void {
    const text = tryWrite(message);
    if (typeof text === 'string') channel.send(text);
    else if ('id' in message) answer(toResponse(message.id as number, { error: text }));
  }

  function tryWrite(message: Message): string | ErrorObject {
    let text: string;
    try {
      text = JSON.stringify(message);
    } catch (error) {
      return toErrorObject(new CoordinatorError('invalid_params', { message: `They are not JSON: ${(error as Error).message}` }));
    }
    const bytes = Buffer.byteLength(text);
    if (bytes <= frameBytesMax) return text;
    return toErrorObject(
      new CoordinatorError('limit_exceeded', {
        message: `The call has ${bytes} bytes; ${frameBytesMax} are allowed.`,
        bytes,
        frameBytesMax,
      }),
    );
  }

  const stream = createMessageStream(channel, { read, write });
  return {
    ...stream,
    reader: {
      ...stream.reader,
      listen(deliver) {
        answer = deliver;
        return stream.reader.listen(deliver);
      },
    },
  };
}

const pick = ({ method, params }: { method: string; params: unknown }) => (params === undefined ? { method } : { method, params });

function toResponse(id: string | number, { result, error }: { result?: unknown; error?: ErrorObject }): ResponseMessage {
  return error === undefined ? { jsonrpc: '2.0', id, result: (result ?? null) as object } : { jsonrpc: '2.0', id, error };
}
