import { randomUUID } from 'node:crypto';
import { CoordinatorError } from '@baton/protocol';
import { type Channel, createServerStream, type ErrorObject, type FrameLimits } from '@baton/sdk/connection';
import rpc from 'vscode-jsonrpc/node';
import type { Caller, Peer } from '../call.ts';
import type { Answering } from './answer.ts';

export interface SessionParts {
  readonly answering: Answering;
  readonly limits: FrameLimits;
  /** Makes, for one connection, what is asked before a call is taken, with the number of those without an answer. */
  readonly createRefuseCall: () => (method: string, callsInFlight: number) => ErrorObject | undefined;
  readonly onMalformed: (error: ErrorObject) => void;
}

/** One connection, from its upgrade to its end. */
export interface WireSession {
  readonly peer: Peer;
  readonly callsInFlight: number;
  close(code: number, reason: string): void;
}

export function openSession(
  { answering, limits, createRefuseCall, onMalformed }: SessionParts,
  channel: Channel,
  caller: Caller,
): WireSession {
  const stream = createServerStream(channel, {
    limits,
    refuseCall: createRefuseCall(),
    onMalformed,
    explainUnwritable: (error) => answering.explain(error, 'writing an answer'),
  });
  const connection = rpc.createMessageConnection(stream.reader, stream.writer, rpc.NullLogger);
  const running = new Set<AbortController>();

  const peer: Peer = {
    id: randomUUID(),
    notify(name, params) {
      if (!channel.isClosed) connection.sendNotification(name, params).catch((error: unknown) => answering.explain(error, name));
    },
    onClose: (listener) => channel.onClose(() => listener()),
  };

  connection.onRequest(async (method, params, token) => {
    const abort = new AbortController();
    const cancel = () => abort.abort(new CoordinatorError('cancelled'));
    running.add(abort);
    token.onCancellationRequested(cancel);
    // A cancel that came before the call was taken up fires nothing.
    if (token.isCancellationRequested) cancel();

    const answer = await answering.answer({ method, params, caller, peer, signal: abort.signal });

    running.delete(abort);
    return 'result' in answer ? answer.result : new rpc.ResponseError(answer.error.code, answer.error.message, answer.error.data);
  });
  channel.onClose(() => {
    for (const abort of running) abort.abort(new CoordinatorError('cancelled', { message: 'The connection closed.' }));
    connection.dispose();
  });
  connection.listen();

  return {
    peer,
    get callsInFlight() {
      return stream.callsInFlight;
    },
    close: channel.close,
  };
}
