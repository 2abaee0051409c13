import { z } from 'zod';

/** Who can do something about it: the caller, time, us, or nobody because the caller asked for it. */
export type ErrorBlame = 'caller' | 'passing' | 'bug' | 'cancelled';

interface ErrorDefinition {
  readonly code: number;
  readonly blame: ErrorBlame;
  readonly title: string;
}

/** Kinds are permanent: clients match on them. Codes outside -32768..-32000 are ours to choose. */
export const errorCatalogue = {
  parse_error: { code: -32700, blame: 'caller', title: 'The message is not JSON.' },
  invalid_request: { code: -32600, blame: 'caller', title: 'The message is not a JSON-RPC 2.0 request.' },
  method_unknown: { code: -32601, blame: 'caller', title: 'There is no such method.' },
  invalid_params: { code: -32602, blame: 'caller', title: 'The parameters do not fit the method.' },
  internal: { code: -32603, blame: 'bug', title: 'The coordinator failed. The reference id leads to its log.' },
  cancelled: { code: -32800, blame: 'cancelled', title: 'The call was cancelled.' },

  unauthenticated: { code: 40101, blame: 'caller', title: 'The token is missing, unknown, expired or revoked.' },
  access_denied: { code: 40301, blame: 'caller', title: 'The role of this token may not do that.' },
  approval_not_yours: { code: 40303, blame: 'caller', title: 'The gate does not let you decide about this.' },
  session_required: { code: 40302, blame: 'caller', title: 'This call belongs to a session: register an agent first.' },

  ticket_not_found: { code: 40401, blame: 'caller', title: 'No ticket has this id.' },
  task_not_found: { code: 40402, blame: 'caller', title: 'No task has this id.' },
  agent_not_found: { code: 40403, blame: 'caller', title: 'No agent has this id.' },
  artifact_not_found: { code: 40404, blame: 'caller', title: 'No such artifact.' },
  workflow_not_found: { code: 40405, blame: 'caller', title: 'No workflow has this name and version.' },
  phase_unknown: { code: 40406, blame: 'caller', title: 'The workflow has no such phase.' },
  session_unknown: { code: 40407, blame: 'caller', title: 'No living session has this token.' },
  subscription_not_found: { code: 40408, blame: 'caller', title: 'This connection has no such subscription.' },
  validator_unknown: { code: 40409, blame: 'caller', title: 'No enabled plugin offers this validator.' },
  project_not_found: { code: 40410, blame: 'caller', title: 'No project has this name.' },
  token_not_found: { code: 40411, blame: 'caller', title: 'No token has this id.' },
  plugin_not_found: { code: 40413, blame: 'caller', title: 'No enabled plugin has this name.' },
  context_item_not_found: { code: 40414, blame: 'caller', title: 'The ticket has no context item of this citation.' },
  approval_not_found: { code: 40412, blame: 'caller', title: 'No approval has this id.' },

  transition_refused: { code: 40901, blame: 'caller', title: 'The ticket cannot go this way.' },
  gate_blocked: { code: 40902, blame: 'caller', title: 'The gate of the phase does not let the ticket go.' },
  claim_stale: { code: 40903, blame: 'caller', title: 'This attempt is no longer yours; its result was not recorded.' },
  lock_conflict: { code: 40904, blame: 'caller', title: 'Another holder has the lock.' },
  lock_lost: { code: 40905, blame: 'caller', title: 'You do not hold this lock any more.' },
  idempotency_conflict: { code: 40906, blame: 'caller', title: 'This idempotency key was used with other parameters.' },
  task_state_refused: { code: 40907, blame: 'caller', title: 'The task cannot take this step from its state.' },
  version_conflict: { code: 40908, blame: 'caller', title: 'The object changed since it was read.' },
  phase_closed: { code: 40909, blame: 'caller', title: 'The ticket is not in this phase.' },
  approval_closed: { code: 40912, blame: 'caller', title: 'This approval does not take the decision.' },
  context_item_superseded: { code: 40913, blame: 'caller', title: 'This context item no longer holds.' },
  project_exists: { code: 40910, blame: 'caller', title: 'A project of this name exists.' },
  agent_terminated: { code: 40911, blame: 'caller', title: 'The agent was terminated, which is for good.' },

  dependency_cycle: { code: 42201, blame: 'caller', title: 'The dependencies form a cycle.' },
  dependency_unknown: { code: 42202, blame: 'caller', title: 'A task depends on a task that does not exist.' },
  reference_duplicate: { code: 42203, blame: 'caller', title: 'Two tasks have the same reference.' },
  input_unresolved: { code: 42204, blame: 'caller', title: 'The input refers to something that is not there.' },
  workflow_invalid: { code: 42205, blame: 'caller', title: 'The workflow contradicts itself.' },
  lock_key_invalid: { code: 42206, blame: 'caller', title: 'This is not a lock key.' },
  artifact_invalid: { code: 42208, blame: 'caller', title: 'The artifact does not fit the schema of its type.' },
  limit_exceeded: { code: 42207, blame: 'caller', title: 'This is more than a limit allows.' },

  overloaded: { code: 50301, blame: 'passing', title: 'The coordinator is busy.' },
  database_unavailable: { code: 50302, blame: 'passing', title: 'The database cannot be reached.' },
  draining: { code: 50303, blame: 'passing', title: 'The coordinator is shutting down.' },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorKind = keyof typeof errorCatalogue;
export const errorKinds = Object.keys(errorCatalogue) as [ErrorKind, ...ErrorKind[]];

/** What any call may meet, whatever its method: a method's own list of errors does not repeat them. */
export const generalErrors = [
  'parse_error',
  'invalid_request',
  'method_unknown',
  'invalid_params',
  'internal',
  'cancelled',
  'unauthenticated',
  'access_denied',
  'session_required',
  'session_unknown',
  'idempotency_conflict',
  'limit_exceeded',
  'overloaded',
  'database_unavailable',
  'draining',
] as const satisfies readonly ErrorKind[];

export const fieldProblem = z.object({ path: z.string(), message: z.string() }).meta({
  id: 'FieldProblem',
  description: 'A field of the parameters that does not fit, and why. `path` is written as in `tasks[2].locks[0].key`.',
});
export type FieldProblem = z.infer<typeof fieldProblem>;

export const errorInfo = z
  .looseObject({
    kind: z.string(),
    retryable: z.boolean(),
    retryAfterMs: z.number().optional(),
    fields: z.array(fieldProblem).optional(),
  })
  .meta({ id: 'ErrorInfo', description: '`error.data` of every JSON-RPC error.' });
export type ErrorInfo = z.infer<typeof errorInfo>;

/** An error of the catalogue: thrown where the rule is, translated to JSON at the edge, and thrown anew in the client. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';
  readonly kind: ErrorKind;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(kind: ErrorKind, data: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    const detail = typeof data['message'] === 'string' ? ` ${data['message']}` : '';
    super(errorCatalogue[kind].title + detail, options);
    this.kind = kind;
    this.data = data;
  }

  get code(): number {
    return errorCatalogue[this.kind].code;
  }

  /** The same call may succeed later without a change on the caller's side. */
  get retryable(): boolean {
    return errorCatalogue[this.kind].blame === 'passing';
  }
}

export const isErrorKind = (kind: unknown): kind is ErrorKind => typeof kind === 'string' && Object.hasOwn(errorCatalogue, kind);
