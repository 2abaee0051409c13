import { CoordinatorError, type MethodName } from '@baton/protocol';
import { type ErrorObject, toErrorObject } from '@baton/sdk/connection';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import { createBucket, type Rate } from './rate-limit.ts';

export type CallLimitConfig = Pick<
  Config,
  'callsInFlightMax' | 'httpCallsInFlightMax' | 'callsPerSecondMax' | 'callsBurstMax' | 'beatsPerSecondMax'
>;

/** The limits of one connection, or of one token over HTTP. */
export interface CallLimits {
  /** Asked before a call is taken. What it returns is the answer. */
  refuse(method: string, callsInFlight: number): ErrorObject | undefined;
  /** Nothing has been taken that would still count. */
  readonly isAtRest: boolean;
}

/**
 * What keeps a lease alive is counted apart: an agent that is busy, or held back, must not be taken for dead because of it.
 * The names are those of the contract.
 */
const lifeSigns: ReadonlySet<string> = new Set<MethodName>(['agent/heartbeat', 'lock/renew']);
/** How many of them may be in flight beyond the limit. */
const lifeSignsInFlightMax = 8;
/** How many of them a second on one connection, which is more than any lease needs. */
const lifeSignRate = { perSecond: 50, burst: 200 };
/**
 * How many of them with one token over HTTP, where all agents may have the same: some times what they are told to make, for
 * those who came when there were fewer have been told a shorter interval.
 */
export const sharedLifeSignRate = ({ beatsPerSecondMax }: CallLimitConfig): Rate => ({
  perSecond: 5 * beatsPerSecondMax,
  burst: 10 * beatsPerSecondMax,
});

/** A call that does not fit in is worth another try when one of the others may have ended. */
const inFlightRetryMs = 100;

export function createCallLimits(
  { callsPerSecondMax, callsBurstMax }: CallLimitConfig,
  { inFlightMax, lifeSigns: signRate = lifeSignRate }: { readonly inFlightMax: number; readonly lifeSigns?: Rate },
  metrics: Pick<Metrics, 'recordRefusal'>,
): CallLimits {
  const calls = createBucket({ perSecond: callsPerSecondMax, burst: callsBurstMax });
  const signs = createBucket(signRate);

  return {
    refuse(method, callsInFlight) {
      const isLifeSign = lifeSigns.has(method);
      if (callsInFlight >= inFlightMax + (isLifeSign ? lifeSignsInFlightMax : 0)) {
        metrics.recordRefusal('calls_in_flight');
        return overloaded({ retryAfterMs: inFlightRetryMs, callsInFlightMax: inFlightMax });
      }
      const retryAfterMs = (isLifeSign ? signs : calls).take();
      if (retryAfterMs === undefined) return undefined;
      metrics.recordRefusal('call_rate');
      return overloaded({ retryAfterMs, callsPerSecondMax });
    },
    get isAtRest() {
      return calls.isFull && signs.isFull;
    },
  };
}

const overloaded = (data: Readonly<Record<string, number>>) => toErrorObject(new CoordinatorError('overloaded', data));
