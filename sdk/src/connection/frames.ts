import { CoordinatorError, type ErrorKind } from '@baton/protocol';
import { findJsonFault, textNestsDeeperThan, TooDeepError } from './json-faults.ts';
import { type ErrorObject, toErrorObject } from './wire-errors.ts';

export type CallId = string | number | null;

/** By name or by position, as JSON-RPC has it. */
export type CallParams = readonly unknown[] | Readonly<Record<string, unknown>>;

/** One message of a frame, checked as JSON-RPC 2.0 and not yet as a call of a method. */
export type FrameMessage =
  | { readonly type: 'request'; readonly id: CallId; readonly method: string; readonly params: CallParams | undefined }
  | { readonly type: 'notification'; readonly method: string; readonly params: CallParams | undefined }
  | { readonly type: 'response'; readonly id: CallId; readonly result?: unknown; readonly error?: ErrorObject }
  /** Not to be run. `error` is the answer it gets. */
  | { readonly type: 'refused'; readonly id: CallId; readonly error: ErrorObject }
  /** Not to be run, and not to be answered: a notification with faults. */
  | { readonly type: 'dropped' };

export interface Frame {
  /** The answers belong into one array. */
  readonly isBatch: boolean;
  readonly messages: readonly FrameMessage[];
}

/** Sizes are for the transport to limit, which knows them before there is a text. */
export interface FrameLimits {
  readonly frameDepthMax: number;
  readonly batchMax: number;
  /** What is inside the parameters was checked by who sent them, as a coordinator does with all it stores. */
  readonly isTrusted?: boolean;
}

/** Text beyond this many times the depth allowed is not even parsed, so it cannot be told whose it is. */
const parsedDepths = 8;

/** Reads a frame as JSON-RPC 2.0 says, with the limits on top. Never throws: what does not fit is part of what it returns. */
export function readFrame(text: string, limits: FrameLimits): Frame {
  if (textNestsDeeperThan(text, limits.frameDepthMax * parsedDepths)) return refusedFrame('invalid_request', tooDeep(limits));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refusedFrame('parse_error');
  }
  if (!Array.isArray(json)) return { isBatch: false, messages: [readMessage(json, limits)] };
  if (json.length === 0) return refusedFrame('invalid_request', 'The batch is empty.');
  if (json.length > limits.batchMax) return refusedFrame('invalid_request', `A batch holds at most ${limits.batchMax} messages.`);
  return { isBatch: true, messages: json.map((item: unknown) => readMessage(item, limits)) };
}

function readMessage(json: unknown, limits: FrameLimits): FrameMessage {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse(null, 'invalid_request', 'A message is an object.');
  const message = json as Readonly<Record<string, unknown>>;
  // Own members only: `constructor` and its like are on every object.
  const read = (name: string): unknown => (Object.hasOwn(message, name) ? message[name] : undefined);

  const id = read('id');
  if (id !== undefined && !isCallId(id)) return refuse(null, 'invalid_request', 'An id is a string, a number or null.');
  const refuseThis = (detail: string) => refuse(id ?? null, 'invalid_request', detail);
  if (read('jsonrpc') !== '2.0') return refuseThis('The member jsonrpc must be "2.0".');

  const method = read('method');
  if (method === undefined && id !== undefined && isAnswer(message)) return toResponse(id, read('result'), read('error'));
  if (typeof method !== 'string') return refuseThis('The method must be a string.');
  const params = read('params');
  if (params !== undefined && (typeof params !== 'object' || params === null))
    return refuseThis('The params must be an object or an array.');

  const fault = params === undefined || limits.isTrusted === true ? undefined : faultOf(id ?? null, params, limits);
  if (id === undefined)
    return fault === undefined ? { type: 'notification', method, params: params as CallParams | undefined } : { type: 'dropped' };
  return fault ?? { type: 'request', id, method, params: params as CallParams | undefined };
}

// An integer beyond 2^53 would come back as another one, and its caller would wait for ever.
const isCallId = (id: unknown): id is CallId =>
  id === null ||
  typeof id === 'string' ||
  (typeof id === 'number' && (Number.isSafeInteger(id) || (Number.isFinite(id) && !Number.isInteger(id))));

const isAnswer = (message: object) => Object.hasOwn(message, 'result') !== Object.hasOwn(message, 'error');

function toResponse(id: CallId, result: unknown, error: unknown): FrameMessage {
  if (error === undefined) return { type: 'response', id, result };
  const { code, message, data } = (typeof error === 'object' && error !== null ? error : {}) as Partial<ErrorObject>;
  return { type: 'response', id, error: { code: typeof code === 'number' ? code : -32603, message: String(message), data } };
}

/** What keeps the parameters from being handed on. The message itself is the first level of nesting. */
function faultOf(id: CallId, params: object, limits: FrameLimits): FrameMessage | undefined {
  try {
    const problem = findJsonFault(params, limits.frameDepthMax - 1);
    return problem && { type: 'refused', id, error: toErrorObject(new CoordinatorError('invalid_params', { fields: [problem] })) };
  } catch (error) {
    if (error instanceof TooDeepError) return refuse(id, 'invalid_request', tooDeep(limits));
    throw error;
  }
}

const tooDeep = ({ frameDepthMax }: FrameLimits) => `A message nests at most ${frameDepthMax} levels deep.`;

const refuse = (id: CallId, kind: ErrorKind, detail?: string): FrameMessage => ({
  type: 'refused',
  id,
  error: toErrorObject(new CoordinatorError(kind, detail === undefined ? {} : { message: detail })),
});

const refusedFrame = (kind: ErrorKind, detail?: string): Frame => ({ isBatch: false, messages: [refuse(null, kind, detail)] });
