import type { MethodName, methods, NotificationName, NotificationParams, Params, Result, Role } from '@baton/protocol';
import type { EntityManager } from './db/orm.ts';

/** Who speaks: what the token says. A token belongs to one project, and nothing outside it can be seen with it. */
export interface Caller {
  readonly tokenId: string;
  /** The token's name, for histories. */
  readonly name: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly role: Role;
}

/** A WebSocket connection, as a handler may use it. Over HTTP there is none. */
export interface Peer {
  readonly id: string;
  /** Sends a notification; does nothing once the connection is closed. */
  notify<N extends NotificationName>(name: N, params: NotificationParams<N>): void;
  /** Runs when the connection closes; at once if it has. */
  onClose(listener: () => void): void;
}

/** An agent's session, as established by `agent/register` on this connection or by its resume token over HTTP. */
export interface Session {
  readonly sessionId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly epoch: number;
}

/** What a handler is given beside its parameters. Lives for one call. */
export interface CallContext {
  /** Forked for this call. Inside a transaction only the transaction's own may be used. */
  readonly em: EntityManager;
  readonly method: MethodName;
  /** Aborts when the caller cancels or its connection closes. */
  readonly signal: AbortSignal;
  readonly caller: Caller;
  readonly peer: Peer | undefined;
  readonly session: Session | undefined;
}

type ContextOf<M extends MethodName> = (typeof methods)[M]['session'] extends true
  ? CallContext & { readonly session: Session }
  : CallContext;

/** One handler per method of the contract: a missing one does not compile. */
export type Handlers = {
  readonly [M in MethodName]: (params: Params<M>, context: ContextOf<M>) => Promise<Result<M>>;
};
export type HandlersOf<Noun extends string> = Pick<Handlers, Extract<MethodName, `${Noun}/${string}`>>;
