import { type Claim, type Client, type ContextItem, CoordinatorError, createClient, type MethodName, type Params } from '@baton/protocol';
import { createLog } from './agent-log.ts';

type Answers = Partial<Record<MethodName, (params: never, signal: AbortSignal | undefined) => unknown>>;

/** A client whose coordinator is a table of answers, and the calls that were made on it. For tests of pure parts only. */
export function answeringClient(answers: Answers): {
  readonly client: Client;
  readonly calls: { method: MethodName; params: Record<string, unknown> }[];
} {
  const calls: { method: MethodName; params: Record<string, unknown> }[] = [];
  const client = createClient(async (method, params, { signal } = {}) => {
    calls.push({ method, params: params as Record<string, unknown> });
    const answer = answers[method];
    if (answer === undefined) throw new CoordinatorError('method_unknown', { method });
    return answer(params as never, signal);
  });
  return { client, calls };
}

export const silentLog = createLog(() => {});

export const newId = (): string => crypto.randomUUID();

/** What a coordinator answers to a note. */
export const storedNote = ({ ticketId, item }: Pick<Params<'context/note'>, 'ticketId' | 'item'>): ContextItem => ({
  id: newId(),
  citation: 'c:1',
  ticketId,
  phase: 'TESTING',
  visit: 1,
  ...item,
  author: 'agent',
  createdAt: '2026-11-23T09:00:00.000Z',
  source: 'said',
});

export const newClaim = (claim: Partial<Claim>): Claim => ({
  taskId: newId(),
  attempt: 1,
  ticketId: newId(),
  phase: 'TESTING',
  visit: 1,
  type: 'add',
  title: 'Add',
  input: {},
  locks: [],
  timeoutMs: 60_000,
  ...claim,
});
