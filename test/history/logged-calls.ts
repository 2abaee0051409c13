import { CoordinatorError, type MethodName } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import type { HistoryLog, Operation } from './history.ts';

/** Where the coordinators are. */
export interface Places {
  readonly token: string;
  readonly sites: readonly { readonly url: string; readonly httpUrl: string }[];
}

export interface Logged {
  readonly outcome: Operation['outcome'];
  readonly kind?: string;
  /** Of a call that was accepted. */
  readonly result?: unknown;
}

export interface SessionOfClient {
  readonly sessionId: string;
  readonly resumeToken: string;
}

/** One client of the history: it makes one call after the other, and writes down each. */
export interface LoggedClient {
  readonly name: string;
  /** Makes the call, as the session if one is given; one in thirty is cut in the middle. */
  call(method: MethodName, params: Readonly<Record<string, unknown>>, session?: SessionOfClient): Promise<Logged>;
  /** As `call`, until the answer is known, by the one and the other coordinator. The parameters hold an idempotency key or a fence. */
  callUntilKnown(method: MethodName, params: Readonly<Record<string, unknown>>, session?: SessionOfClient): Promise<Logged>;
}

/** Refusals after which the call may have had its effect. */
const unclear: readonly string[] = ['internal', 'database_unavailable', 'cancelled'];

/** How often one call is repeated: a coordinator that was killed is back before. */
const triesMax = 100;

export function createLoggedClient(log: HistoryLog, { token, sites }: Places, name: string): LoggedClient {
  const anySite = () => sites[Math.floor(Math.random() * sites.length)]!;

  async function call(method: MethodName, params: Readonly<Record<string, unknown>>, session?: SessionOfClient): Promise<Logged> {
    const cut = Math.random() < 1 / 30 ? AbortSignal.timeout(Math.floor(Math.random() * 5)) : undefined;
    const send = callOverHttp({
      url: anySite().httpUrl,
      token,
      ...(session !== undefined && { sessionToken: session.resumeToken }),
    });
    const id = log.invoke({ client: name, method, params, ...(session !== undefined && { session: session.sessionId }) });
    const ended = await send(method, params, cut === undefined ? {} : { signal: cut }).then(
      (result): Logged => ({ outcome: 'ok', result }),
      (error: unknown): Logged => toRefusal(error),
    );
    const { outcome, ...told } = ended;
    log.end(id, outcome, told);
    return ended;
  }

  return {
    name,
    call,
    async callUntilKnown(method, params, session) {
      let ended = await call(method, params, session);
      for (let tries = 1; (ended.outcome === 'unknown' || ended.kind === unreached) && tries < triesMax; tries += 1) {
        await pause(20);
        ended = await call(method, params, session);
      }
      return ended;
    },
  };
}

/** Nobody has heard the call: the coordinator is away. */
const unreached = 'unreached';

function toRefusal(error: unknown): Logged {
  if (error instanceof CoordinatorError) return { outcome: unclear.includes(error.kind) ? 'unknown' : 'fail', kind: error.kind };
  const message = error instanceof Error ? error.message : String(error);
  return message.includes('ECONNREFUSED') ? { outcome: 'fail', kind: unreached } : { outcome: 'unknown', kind: message };
}

/** The work of a client takes time. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
