import type { Message, NotificationMessage, RequestMessage, ResponseMessage } from 'vscode-jsonrpc/node';
import type { Channel } from './channel.ts';
import { type CallId, type FrameLimits, type FrameMessage, readFrame } from './frames.ts';
import { createMessageStream, type MessageStream } from './message-stream.ts';
import type { ErrorObject } from './wire-errors.ts';

export interface ServerStreamOptions {
  readonly limits: FrameLimits;
  /** Asked before a call is taken, with the number of those that have no answer yet. What it returns is the answer. */
  readonly refuseCall: (method: string, callsInFlight: number) => ErrorObject | undefined;
  /** Told of each message that is no call that could be run. */
  readonly onMalformed?: (error: ErrorObject) => void;
  /** What to answer where a result cannot be written as JSON. */
  readonly explainUnwritable: (error: unknown) => ErrorObject;
}

export interface ServerStream extends MessageStream {
  /** Calls that have been taken and not been answered. */
  readonly callsInFlight: number;
}

/** The answers of one frame. Those of a batch leave together when the last is there. */
interface AnswerSheet {
  readonly isBatch: boolean;
  readonly answers: string[];
  pending: number;
}

interface CallInFlight {
  /** Undefined for a notification: it is run like a call, and its answer is thrown away. */
  readonly id: CallId | undefined;
  readonly sheet: AnswerSheet;
}

/**
 * The side that answers. vscode-jsonrpc alone is not JSON-RPC 2.0: it gives no answer to what is malformed, knows no batches,
 * and loses an answer when two calls in flight have equal ids. So every frame is checked here, and every call gets a number of
 * its own on the way in, which is turned back into the caller's id on the way out.
 */
export function createServerStream(
  channel: Channel,
  { limits, refuseCall, onMalformed, explainUnwritable }: ServerStreamOptions,
): ServerStream {
  const calls = new Map<number, CallInFlight>();
  let lastNumber = 0;

  function read(text: string, deliver: (message: Message) => void): void {
    const frame = readFrame(text, limits);
    const sheet: AnswerSheet = { isBatch: frame.isBatch, answers: [], pending: 0 };
    for (const message of frame.messages) take(message, sheet, deliver);
    sendIfComplete(sheet);
  }

  function take(message: FrameMessage, sheet: AnswerSheet, deliver: (message: Message) => void): void {
    if (message.type === 'refused') {
      onMalformed?.(message.error);
      sheet.answers.push(toAnswerText(message.id, { error: message.error }));
    }
    // Nothing was asked, so a response answers nothing; and answering one could go on for ever.
    if (message.type === 'refused' || message.type === 'dropped' || message.type === 'response') return;
    if (message.type === 'notification' && message.method.startsWith('$/')) {
      if (message.method === '$/cancelRequest') cancel(message.params, deliver);
      return;
    }
    const id = message.type === 'request' ? message.id : undefined;
    const refusal = refuseCall(message.method, calls.size);
    if (refusal !== undefined) {
      if (id !== undefined) sheet.answers.push(toAnswerText(id, { error: refusal }));
      return;
    }
    const number = ++lastNumber;
    calls.set(number, { id, sheet });
    sheet.pending++;
    const request: RequestMessage = { jsonrpc: '2.0', id: number, method: message.method };
    if (message.params !== undefined) request.params = message.params;
    deliver(request);
  }

  // Without parameters, or for a call that is not in flight, a cancel does nothing; vscode-jsonrpc would end the process.
  function cancel(params: unknown, deliver: (message: Message) => void): void {
    const id = typeof params === 'object' && params !== null && 'id' in params ? params.id : undefined;
    if (id === undefined) return;
    for (const [number, call] of calls) {
      if (call.id !== id) continue;
      const notification: NotificationMessage = { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: number } };
      deliver(notification);
    }
  }

  function write(message: Message): void {
    if (!isResponse(message)) {
      channel.send(JSON.stringify(message));
      return;
    }
    const call = typeof message.id === 'number' ? calls.get(message.id) : undefined;
    if (call === undefined) return;
    calls.delete(message.id as number);
    if (call.id !== undefined) call.sheet.answers.push(writeAnswer(call.id, message));
    call.sheet.pending--;
    sendIfComplete(call.sheet);
  }

  function writeAnswer(id: CallId, { result, error }: ResponseMessage): string {
    try {
      return toAnswerText(id, error === undefined ? { result: result ?? null } : { error });
    } catch (failure) {
      return toAnswerText(id, { error: explainUnwritable(failure) });
    }
  }

  function sendIfComplete({ isBatch, answers, pending }: AnswerSheet): void {
    if (pending > 0 || answers.length === 0) return;
    channel.send(isBatch ? `[${answers.join(',')}]` : answers.join(''));
  }

  return {
    ...createMessageStream(channel, { read, write }),
    get callsInFlight() {
      return calls.size;
    },
  };
}

const isResponse = (message: Message): message is ResponseMessage => !('method' in message);

const toAnswerText = (id: CallId, outcome: { readonly result: unknown } | { readonly error: ErrorObject }): string =>
  JSON.stringify({ jsonrpc: '2.0', id, ...outcome });
