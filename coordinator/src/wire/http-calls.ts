import { CoordinatorError } from '@baton/protocol';
import type { ErrorObject } from '@baton/sdk/connection';
import type { Metrics } from '../metrics.ts';
import { type CallLimitConfig, type CallLimits, createCallLimits, sharedLifeSignRate } from './call-limits.ts';
import { type Refusal, toRefusal } from './refusal.ts';

/** What a token has under way over HTTP, where no connection is there to count it. */
export interface HttpCalls {
  /** Counts a request whose body is about to be received, until `end`. */
  beginRequest(tokenId: string): { readonly end: () => void } | Refusal;
  /** Counts a call until `end`. */
  beginCall(tokenId: string, method: string): { readonly end: () => void } | { readonly error: ErrorObject };
}

interface TokenCalls {
  readonly limits: CallLimits;
  inFlight: number;
}

const busyRetryMs = 1_000;

export function createHttpCalls(config: CallLimitConfig, metrics: Pick<Metrics, 'recordRefusal'>): HttpCalls {
  const byToken = new Map<string, TokenCalls>();

  function callsOf(tokenId: string): TokenCalls {
    const known = byToken.get(tokenId);
    if (known !== undefined) return known;
    // Somebody new is rare: the moment to forget those who have long been gone.
    for (const [id, { limits, inFlight }] of byToken) if (inFlight === 0 && limits.isAtRest) byToken.delete(id);
    const shape = { inFlightMax: config.httpCallsInFlightMax, lifeSigns: sharedLifeSignRate(config) };
    const calls = { limits: createCallLimits(config, shape, metrics), inFlight: 0 };
    byToken.set(tokenId, calls);
    return calls;
  }

  function count(calls: TokenCalls): { end: () => void } {
    calls.inFlight++;
    return { end: () => void calls.inFlight-- };
  }

  return {
    beginRequest(tokenId) {
      const calls = callsOf(tokenId);
      if (calls.inFlight < config.httpCallsInFlightMax) return count(calls);
      metrics.recordRefusal('calls_in_flight');
      return toRefusal(new CoordinatorError('overloaded', { retryAfterMs: busyRetryMs, callsInFlightMax: config.httpCallsInFlightMax }));
    },
    beginCall(tokenId, method) {
      const calls = callsOf(tokenId);
      const error = calls.limits.refuse(method, calls.inFlight);
      return error === undefined ? count(calls) : { error };
    },
  };
}
