import rpc from 'vscode-jsonrpc/node';
import type { Message, MessageReader, MessageWriter } from 'vscode-jsonrpc/node';
import type { Channel } from './channel.ts';

export interface MessageStream {
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
}

export interface MessageStreamParts {
  /** Turns a text into the messages that the connection may see, and hands each to `deliver`. */
  readonly read: (text: string, deliver: (message: Message) => void) => void;
  readonly write: (message: Message) => void;
}

/** A channel as what vscode-jsonrpc reads from and writes to. */
export function createMessageStream(channel: Channel, { read, write }: MessageStreamParts): MessageStream {
  const closed = new rpc.Emitter<void>();
  const readErrors = new rpc.Emitter<Error>();
  const writeErrors = new rpc.Emitter<[Error, Message | undefined, number | undefined]>();
  const partialMessages = new rpc.Emitter<never>();
  return {
    reader: {
      onError: readErrors.event,
      onClose: closed.event,
      onPartialMessage: partialMessages.event,
      listen(deliver) {
        channel.onText((text) => read(text, deliver));
        channel.onClose(() => closed.fire());
        return { dispose: () => {} };
      },
      dispose() {},
    },
    writer: {
      onError: writeErrors.event,
      onClose: closed.event,
      async write(message) {
        write(message);
      },
      end() {},
      dispose() {},
    },
  };
}
