import { CoordinatorError, type MethodName, methods } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';

const takesKey = (method: MethodName): boolean => 'idempotencyKey' in methods[method].params.shape;

/** Gives a call that changes something a key of its own, kept over all its repetitions. A key that the caller chose stays. */
export function withIdempotencyKey(method: MethodName, params: unknown): object {
  const given: object = params ?? {};
  return methods[method].idempotent || !takesKey(method) || 'idempotencyKey' in given ? given : { ...given, idempotencyKey: uuidv7() };
}

/** Whether sending a call twice has the effect of sending it once. */
export const isRepeatable = (method: MethodName, params: object): boolean => methods[method].idempotent || 'idempotencyKey' in params;

/** How long to wait before a refused call is worth another try; undefined where it is not. */
export function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof CoordinatorError) || !error.retryable) return undefined;
  const wait = error.data['retryAfterMs'];
  // Spread over twice the time asked for, so that those who were refused together do not return together.
  return typeof wait === 'number' ? wait * (1 + Math.random()) : undefined;
}
