import { CoordinatorError, isMethodName, mayAccess, methods, rolesWith, toFieldProblems } from '@baton/protocol';
import type { CallContext, Caller, Handlers, Peer, Session } from '../call.ts';
import { translateDatabaseError } from '../db/errors.ts';
import type { EntityManager } from '../db/orm.ts';
import { refuseFields } from '../refuse-fields.ts';
import { toNamedParams } from './named-params.ts';

/** One call as the wire hands it over: checked as JSON-RPC, not yet as a call of a method. */
export interface Call {
  readonly method: string;
  readonly params: unknown;
  readonly caller: Caller;
  readonly peer: Peer | undefined;
  /** The resume token of an HTTP caller. */
  readonly sessionToken?: string | undefined;
  readonly signal: AbortSignal;
}

export type Dispatch = (call: Call) => Promise<unknown>;

export interface DispatchParts {
  readonly handlers: Handlers;
  readonly em: EntityManager;
  /** Finds the session a call belongs to, by its connection or its resume token. */
  readonly findSession: (call: Call) => Session | undefined | Promise<Session | undefined>;
}

/** Runs one call: look up, check the role and the parameters, hand over, check the result. */
export function createDispatch({ handlers, em, findSession }: DispatchParts): Dispatch {
  return async (call) => {
    const { method, caller, peer, signal } = call;
    if (!isMethodName(method)) throw new CoordinatorError('method_unknown', { method });
    const definition = methods[method];
    if (!mayAccess(caller.role, definition.access))
      throw new CoordinatorError('access_denied', {
        role: caller.role,
        needs: definition.access,
        message: `It has the role ${caller.role}; ${method} takes ${rolesWith(definition.access)}.`,
      });

    const params = definition.params.safeParse(toNamedParams(definition, call.params));
    if (!params.success) throw refuseFields('invalid_params', toFieldProblems(params.error));

    const session = await findSession(call);
    if (definition.session && session === undefined) throw new CoordinatorError('session_required');

    const handler = handlers[method] as (params: unknown, context: CallContext) => Promise<unknown>;
    const result = await handler(params.data, { em: em.fork(), method, signal, caller, peer, session }).catch((error: unknown) => {
      // Transactions do it themselves; reads are statements of their own.
      throw translateDatabaseError(error);
    });
    return definition.result.parse(result);
  };
}
