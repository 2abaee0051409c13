import type { IncomingMessage } from 'node:http';
import { CoordinatorError } from '@baton/protocol';
import type { Caller } from '../call.ts';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Answering } from './answer.ts';
import { type Authenticate, readBearer } from './auth.ts';
import { createFailedAuthentications } from './failed-authentications.ts';
import { type KnownHosts, refuseStranger } from './hosts.ts';
import { type Refusal, refuse, toRefusal } from './refusal.ts';

export interface AdmissionParts {
  readonly config: Pick<Config, 'failedAuthenticationsPerMinuteMax'>;
  readonly hosts: KnownHosts;
  readonly authenticate: Authenticate;
  /** Tokens that fit and need not be shown before somebody guesses. */
  readonly knownTokens?: readonly string[] | undefined;
  /** Why nobody is let in. */
  readonly refuseAll: () => CoordinatorError | undefined;
  readonly answering: Pick<Answering, 'explain'>;
  readonly metrics: Pick<Metrics, 'recordRefusal'>;
}

/** Who is served, decided before anything of the request but its head has been read. */
export interface Admission {
  /** Says why nothing is served to this host or origin, whoever asks. */
  refuseStranger(request: IncomingMessage): Refusal | undefined;
  /** Says who calls, or why nobody is served. */
  admit(request: IncomingMessage): Promise<Caller | Refusal>;
}

export function createAdmission({ config, hosts, authenticate, knownTokens, refuseAll, answering, metrics }: AdmissionParts): Admission {
  const failures = createFailedAuthentications(config, knownTokens);

  function noteRefusal(reason: 'failed_authentications' | 'unauthenticated' | 'draining' | 'stranger', refusal: Refusal): Refusal {
    metrics.recordRefusal(reason);
    return refusal;
  }

  async function authenticateAt(address: string | undefined, token: string | undefined): Promise<Caller | Refusal> {
    const tooMany = failures.refuse(address, token);
    if (tooMany !== undefined) return noteRefusal('failed_authentications', tooMany);
    const caller = await authenticate(token);
    failures.record(address, token, caller !== undefined);
    return caller ?? noteRefusal('unauthenticated', toRefusal(new CoordinatorError('unauthenticated')));
  }

  return {
    refuseStranger({ headers, headersDistinct }) {
      // Of several, Node shows the first, and what stands before us may have looked at another.
      const isAmbiguous = (headersDistinct['host']?.length ?? 0) > 1;
      const reason = isAmbiguous ? 'There is more than one Host header.' : refuseStranger(headers, hosts);
      return reason === undefined ? undefined : noteRefusal('stranger', refuse('access_denied', 403, reason));
    },
    async admit({ socket, headers }) {
      const away = refuseAll();
      if (away !== undefined) return noteRefusal('draining', toRefusal(away));
      try {
        return await authenticateAt(socket.remoteAddress, readBearer(headers.authorization));
      } catch (error) {
        if (error instanceof CoordinatorError && error.retryable) return toRefusal(error);
        const { data } = answering.explain(error, 'authentication');
        return toRefusal(new CoordinatorError('internal', data as Record<string, unknown>));
      }
    },
  };
}
