import {
  type Client,
  CoordinatorError,
  type ErrorKind,
  isMethodName,
  type MethodName,
  type NewContextItem,
  type Send,
} from '@baton/protocol';
import type { MessagePort } from 'node:worker_threads';
import { type AgentLog, createLog, type LogFields, type LogLevel } from './agent-log.ts';
import type { AbortReason } from './outcome.ts';

/** What the main thread tells the thread of an attempt. */
export type ToThread =
  | { readonly kind: 'abort'; readonly reason: AbortReason }
  | { readonly kind: 'lockLost'; readonly key: string; readonly fence: number }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: CallError };

/** What the thread of an attempt tells the main thread. */
export type FromThread =
  | { readonly kind: 'call'; readonly id: number; readonly method: MethodName; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'note'; readonly item: NewContextItem }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields?: LogFields };

/** Errors lose their class between threads, so they travel as data. */
interface CallError {
  readonly kind?: ErrorKind;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface PortEnd {
  /** Sends calls of the contract through the main thread's connection. */
  readonly send: Send;
  readonly log: AgentLog;
  /** At once, so that it outlives a thread that ends before its task does. */
  readonly note: (item: NewContextItem) => void;
}

/** The thread's end of the port: calls go out, answers come in, and orders are handed to `onOrder`. */
export function openThreadEnd(port: MessagePort, onOrder: (order: Extract<ToThread, { kind: 'abort' | 'lockLost' }>) => void): PortEnd {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  const post = (message: FromThread) => port.postMessage(message);

  port.on('message', (message: ToThread) => {
    if (message.kind === 'abort' || message.kind === 'lockLost') return onOrder(message);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'answer') call?.resolve(message.result);
    else call?.reject(fromCallError(message.error));
  });

  const send: Send = (method, params, { signal } = {}) => {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      post({ kind: 'call', id, method, params });
      waiting.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => waiting.has(id) && post({ kind: 'cancel', id }), { once: true });
    });
  };
  return {
    send,
    note: (item) => post({ kind: 'note', item }),
    log: createLog((level, message, fields) => post({ kind: 'log', level, message, ...(fields === undefined ? {} : { fields }) })),
  };
}

interface MainEndParts {
  readonly client: Client;
  readonly log: AgentLog;
  readonly note: (item: NewContextItem) => void;
}

/** The main thread's end: makes the thread's calls on the agent's connection. Returns what takes a message, for those that are read late. */
export function openMainEnd(port: MessagePort, { client, log, note }: MainEndParts): (message: FromThread) => void {
  const calls = new Map<number, AbortController>();
  const post = (message: ToThread) => port.postMessage(message);

  const call = async (id: number, method: MethodName, params: unknown) => {
    const cancel = new AbortController();
    calls.set(id, cancel);
    try {
      post({ kind: 'answer', id, result: await callByName(client, method, params, cancel.signal) });
    } catch (error) {
      post({ kind: 'refusal', id, error: toCallError(error) });
    } finally {
      calls.delete(id);
    }
  };
  const take = (message: FromThread) => {
    if (message.kind === 'log') log[message.level](message.message, message.fields);
    else if (message.kind === 'note') note(message.item);
    else if (message.kind === 'cancel') calls.get(message.id)?.abort();
    else void call(message.id, message.method, message.params);
  };
  port.on('message', take);
  // Whoever asked is gone with the port.
  port.on('close', () => calls.forEach((cancel) => cancel.abort()));
  return take;
}

function callByName(client: Client, method: MethodName, params: unknown, signal: AbortSignal): Promise<unknown> {
  const [noun, verb] = method.split('/');
  const calls: Readonly<Record<string, Readonly<Record<string, (params: unknown, options: { signal: AbortSignal }) => Promise<unknown>>>>> =
    client as never;
  const call = isMethodName(method) && noun !== undefined && verb !== undefined ? calls[noun]?.[verb] : undefined;
  if (call === undefined) throw new CoordinatorError('method_unknown', { method });
  return call(params, { signal });
}

function toCallError(error: unknown): CallError {
  if (error instanceof CoordinatorError) return { kind: error.kind, data: error.data, message: error.message };
  return { message: error instanceof Error ? error.message : String(error) };
}

const fromCallError = ({ kind, data, message }: CallError): Error =>
  kind === undefined ? new Error(message) : new CoordinatorError(kind, data);
