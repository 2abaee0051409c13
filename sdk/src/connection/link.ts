import { CoordinatorError, type MethodName } from '@baton/protocol';
import rpc from 'vscode-jsonrpc/node';
import type { WebSocket } from 'ws';
import { throwIfCancelled } from './abortable.ts';
import { type CloseCause, keepAlive, openChannel } from './channel.ts';
import { createClientStream } from './client-stream.ts';
import { ConnectionError, toCoordinatorError } from './wire-errors.ts';

/** One open socket with calls on it, from the moment it is open until it closes. It never comes back; another takes its place. */
export interface Link {
  /**
   * @throws CoordinatorError what the coordinator answered, or `cancelled` once the signal aborts
   * @throws ConnectionError `lost` where the socket closed before the answer
   */
  request(method: MethodName, params: object, signal?: AbortSignal): Promise<unknown>;
  readonly isOpen: boolean;
  /** Settles when no call can be made any more. */
  readonly closed: Promise<CloseCause>;
  /** Settles when the socket is gone. */
  close(code: number, reason: string): Promise<void>;
}

export interface LinkOptions {
  readonly onNotification: (name: string, params: unknown) => void;
  readonly frameBytesMax: number;
  readonly pingMs: number;
}

/** Calls larger than this wait in memory behind one another; an agent that produces faster than the network takes is cut off. */
const outgoingBytesMax = 256 * 1024 * 1024;

export function createLink(socket: WebSocket, { onNotification, frameBytesMax, pingMs }: LinkOptions): Link {
  const channel = openChannel(socket, { outgoingBytesMax });
  keepAlive(socket, pingMs);
  const { reader, writer } = createClientStream(channel, { frameBytesMax });
  const connection = rpc.createMessageConnection(reader, writer, rpc.NullLogger);
  connection.onNotification((name, params) => {
    // Outside of the connection's own catch: a listener that throws is a mistake to be seen, not a line in no log.
    queueMicrotask(() => onNotification(name, params));
  });
  connection.listen();

  const gone = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  let closedBy: CloseCause | undefined;
  const closed = new Promise<CloseCause>((resolve) => {
    channel.onClose((cause) => {
      closedBy = cause;
      // Calls without an answer would hang until the connection is disposed of.
      connection.dispose();
      resolve(cause);
    });
  });

  return {
    get isOpen() {
      return closedBy === undefined;
    },
    closed,
    close(code, reason) {
      channel.close(code, reason);
      return gone;
    },
    async request(method, params, signal) {
      if (closedBy !== undefined) throw toLost(method, closedBy);
      // A signal that has aborted says so to nobody who listens from now on.
      throwIfCancelled(signal);
      const cancellation = new rpc.CancellationTokenSource();
      const answer = connection.sendRequest<unknown>(method, rpc.ParameterStructures.byName, params, cancellation.token);
      const failed = (error: unknown): never => {
        if (closedBy !== undefined) throw toLost(method, closedBy);
        throw error instanceof rpc.ResponseError ? toCoordinatorError(error) : error;
      };
      if (signal === undefined) return answer.catch(failed);
      return new Promise((resolve, reject) => {
        const cancel = () => {
          cancellation.cancel();
          reject(new CoordinatorError('cancelled', {}, { cause: signal.reason }));
        };
        signal.addEventListener('abort', cancel, { once: true });
        const settle = () => signal.removeEventListener('abort', cancel);
        answer.catch(failed).finally(settle).then(resolve, reject);
      });
    },
  };
}

const toLost = (method: string, { code, reason }: CloseCause) =>
  new ConnectionError(
    'lost',
    `The connection broke (${[code, reason].join(' ').trim()}) before ${method} was answered; whether it had its effect is not known.`,
  );
