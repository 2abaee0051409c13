import type { CoordinatorError } from '@baton/protocol';
import { type ErrorObject, toErrorObject } from '@baton/sdk/connection';
import type { Metrics } from '../metrics.ts';
import { type CallLimitConfig, createCallLimits } from './call-limits.ts';
import type { SessionParts } from './session.ts';

export interface CallRulesParts {
  readonly config: CallLimitConfig;
  /** Why nothing is taken on at all. */
  readonly refuseAll: () => CoordinatorError | undefined;
  readonly metrics: Pick<Metrics, 'recordRefusal'>;
}

/** What is asked, and told, of each message of a connection before it becomes a call. */
export function createCallRules({ config, refuseAll, metrics }: CallRulesParts): Pick<SessionParts, 'createRefuseCall' | 'onMalformed'> {
  return {
    createRefuseCall() {
      const limits = createCallLimits(config, { inFlightMax: config.callsInFlightMax }, metrics);
      return (method, callsInFlight) => {
        const away = refuseAll();
        if (away === undefined) return limits.refuse(method, callsInFlight);
        metrics.recordRefusal('draining');
        return toErrorObject(away);
      };
    },
    onMalformed({ data }: ErrorObject) {
      const kind = (data as { readonly kind?: unknown } | undefined)?.kind;
      metrics.recordRefusal(kind === 'parse_error' || kind === 'invalid_params' ? kind : 'invalid_request');
    },
  };
}
