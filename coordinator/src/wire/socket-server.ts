import type { IncomingMessage, Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { CoordinatorError } from '@baton/protocol';
import { keepAlive, openChannel, tokenEndedCode, tooSlowCode } from '@baton/sdk/connection';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Caller, Peer } from '../call.ts';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import { type Refusal, refuseUpgrade, toRefusal } from './refusal.ts';
import { openSession, type SessionParts, type WireSession } from './session.ts';
import type { TokenHolders } from './token-holders.ts';

export type SocketConfig = Pick<Config, 'frameBytesMax' | 'connectionsMax' | 'connectionsPerTokenMax' | 'outgoingBytesMax' | 'pingMs'>;

export interface SocketServerParts {
  readonly config: SocketConfig;
  readonly session: SessionParts;
  readonly metrics: Pick<Metrics, 'recordRefusal'>;
  readonly holders: Pick<TokenHolders, 'add'>;
  /** Says who asks for a connection, or why there will be none. */
  readonly admit: (request: IncomingMessage) => Promise<Caller | Refusal>;
}

export interface SocketServer {
  readonly connections: number;
  readonly callsInFlight: number;
  findPeer(id: string): Peer | undefined;
  /** Closes every connection and settles when all sockets are gone. */
  close(code: number, reason: string): Promise<void>;
}

/** A message in more pieces than these is an attack on memory, not a message. */
const fragmentsMax = 1_024;
const bufferedChunksMax = 16_384;
/** RFC 6455: data of a kind that is not understood. */
const binaryCode = 1003;
const noRoom = () => toRefusal(new CoordinatorError('overloaded', { retryAfterMs: 1_000 }));

const isTooLarge = (error: Error) => 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

export function createSocketServer(
  server: Server | TlsServer,
  { config, session, metrics, holders, admit }: SocketServerParts,
): SocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: config.frameBytesMax,
    maxFragments: fragmentsMax,
    maxBufferedChunks: bufferedChunksMax,
    perMessageDeflate: false,
  });
  const sessions = new Map<string, WireSession>();
  const connectionsOf = new Map<string, number>();
  // Counted from the request on, so that a rush of them does not pass the limit while their tokens are looked up.
  let connections = 0;
  let isClosed = false;

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node hands over the bare socket: without a listener a reset of it would end the process.
    socket.on('error', () => socket.destroy());
    connections++;
    socket.once('close', () => connections--);
    if (connections > config.connectionsMax) {
      metrics.recordRefusal('connections');
      refuseUpgrade(socket, noRoom());
      return;
    }
    void admit(request).then((admitted) => {
      if (socket.destroyed) return;
      if (isClosed) refuseUpgrade(socket, toRefusal(new CoordinatorError('draining', { retryAfterMs: 1_000 })));
      else if ('status' in admitted) refuseUpgrade(socket, admitted);
      else if ((connectionsOf.get(admitted.tokenId) ?? 0) >= config.connectionsPerTokenMax) {
        metrics.recordRefusal('connections_per_token');
        refuseUpgrade(socket, noRoom());
      } else sockets.handleUpgrade(request, socket, head, (webSocket) => open(webSocket, admitted));
    });
  });

  function open(socket: WebSocket, caller: Caller): void {
    const channel = openChannel(socket, config);
    keepAlive(socket, config.pingMs);
    const opened = openSession(session, channel, caller);
    sessions.set(opened.peer.id, opened);
    count(caller.tokenId, 1);
    channel.onClose(holders.add(caller.tokenId, () => opened.close(tokenEndedCode, 'The token has been revoked or has expired.')));
    channel.onClose(({ code }) => {
      sessions.delete(opened.peer.id);
      count(caller.tokenId, -1);
      if (code === tooSlowCode) metrics.recordRefusal('read_too_slowly');
      if (code === binaryCode) metrics.recordRefusal('frame_binary');
    });
    socket.on('error', (error) => metrics.recordRefusal(isTooLarge(error) ? 'frame_too_large' : 'frame_broken'));
  }

  function count(tokenId: string, change: number): void {
    const number = (connectionsOf.get(tokenId) ?? 0) + change;
    if (number === 0) connectionsOf.delete(tokenId);
    else connectionsOf.set(tokenId, number);
  }

  return {
    get connections() {
      return sessions.size;
    },
    get callsInFlight() {
      return [...sessions.values()].reduce((sum, { callsInFlight }) => sum + callsInFlight, 0);
    },
    findPeer: (id) => sessions.get(id)?.peer,
    async close(code, reason) {
      isClosed = true;
      const gone = [...sockets.clients].map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())));
      for (const opened of sessions.values()) opened.close(code, reason);
      await Promise.all(gone);
    },
  };
}
