import { type MethodDefinition, type MethodName, methodNames, methods } from '@baton/protocol';
import { expect, test } from 'vitest';
import { createCast } from '../support/cast.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

/** Sends one call, as the agent or as the admin of the story. */
type Call = (method: MethodName, params: unknown) => Promise<unknown>;

const isCalledByAgent = (method: MethodName) => methods[method].session || method === 'agent/register' || method === 'context/note';

/** What happens between two examples and is nobody's example. */
type Interlude = (call: Call) => Promise<void>;

const finishWhatIsLeft: Interlude = async (call) => {
  const { claims } = (await call('task/claim', { max: 3, waitMs: 10_000 })) as { claims: { taskId: string; attempt: number }[] };
  expect(claims).toHaveLength(3);
  for (const { taskId, attempt } of claims) await call('task/complete', { taskId, attempt });
};

/** The number could not be told in the second attempt either. */
const giveUpMeasuring: Interlude = async (call) => {
  const { claims } = (await call('task/claim', {})) as { claims: { taskId: string; attempt: number; ref: string }[] };
  expect(claims.map(({ ref }) => ref)).toEqual(['measure']);
  const error = { code: 'log_deleted', message: 'The log of that day is gone.' };
  for (const { taskId, attempt } of claims) await call('task/fail', { taskId, attempt, error, permanent: true });
};

const measureAfterAll: Interlude = async (call) => {
  const { deadLetters } = (await call('task/deadLetters', {})) as { deadLetters: { taskId: string }[] };
  for (const { taskId } of deadLetters) await call('task/retry', { taskId });
};

const askForReview: Interlude = async (call) => {
  const { tickets } = (await call('ticket/list', { phase: 'REVIEW' })) as { tickets: { id: string }[] };
  expect(await call('gate/validate', { ticketId: tickets[0]?.id })).toMatchObject({
    outcome: 'failed',
    reasons: [{ code: 'approval_waiting' }],
  });
};

/** The order in which the examples tell their story. */
const story: readonly (MethodName | Interlude)[] = [
  'coordinator/info',
  'rpc.discover',
  'project/create',
  'project/list',
  'workflow/put',
  'workflow/get',
  'workflow/list',
  'phase/list',
  'plugin/list',
  'plugin/switchOn',
  'ticket/create',
  'ticket/get',
  'ticket/list',
  'ticket/validTransitions',
  'event/subscribe',
  'agent/register',
  'agent/get',
  'agent/list',
  'agent/update',
  'agent/setAvailability',
  'agent/search',
  'agent/bestFit',
  'agent/statistics',
  'agent/health',
  'task/submit',
  'task/list',
  'project/status',
  'scheduler/readyTasks',
  'scheduler/dagStatus',
  'scheduler/explain',
  'scheduler/assign',
  'task/claim',
  'agent/heartbeat',
  'task/progress',
  'context/note',
  'context/list',
  'context/rehydrate',
  'task/complete',
  'task/get',
  'task/fail',
  'task/release',
  'task/cancel',
  'task/retry',
  giveUpMeasuring,
  'task/deadLetters',
  measureAfterAll,
  'lock/acquire',
  'lock/renew',
  'lock/check',
  'lock/get',
  'lock/list',
  'lock/release',
  finishWhatIsLeft,
  'gate/status',
  'gate/explain',
  'artifact/put',
  'artifact/get',
  'artifact/list',
  'gate/validate',
  'gate/results',
  'ticket/transition',
  'task/cancelAll',
  'ticket/history',
  'context/aggregate',
  'context/get',
  'event/list',
  'event/unsubscribe',
  'context/pin',
  'context/expand',
  'context/supersede',
  'agent/setState',
  askForReview,
  'approval/list',
  'approval/decide',
  'ticket/block',
  'ticket/unblock',
  'ticket/update',
  'ticket/cancel',
  'agent/drain',
  'agent/deregister',
  'token/create',
  'token/list',
  'token/revoke',
  'lock/define',
];

/** Their results are long, and the examples say less than the whole. */
const shortened = new Map<MethodName, (result: never) => unknown>([
  [
    'rpc.discover',
    ({ openrpc, info: { title } }: { openrpc: string; info: { title: string } }) => ({
      openrpc,
      info: { title },
      methods: [],
      components: {},
    }),
  ],
  ['plugin/list', ({ plugins }: { plugins: { name: string }[] }) => ({ plugins: plugins.filter(({ name }) => name.endsWith('criteria')) })],
  [
    'workflow/list',
    ({ workflows }: { workflows: { name: string }[] }) => ({ workflows: workflows.filter(({ name }) => name === 'bug-fix') }),
  ],
]);

/** Calls every method as its example does, and answers where the results are not as the examples tell. */
async function live(call: Call, without: readonly MethodName[] = []): Promise<readonly string[]> {
  const cast = createCast();
  const differences: string[] = [];
  const [from, to] = [story.indexOf('agent/register'), story.indexOf('agent/deregister')];
  for (const [index, step] of story.entries()) {
    // However long the others take, the agent of the story is healthy.
    if (index > from && index < to) await call('agent/heartbeat', {});
    if (typeof step === 'function') await step(call);
    else if (!without.includes(step)) {
      const { example }: MethodDefinition = methods[step];
      const result = await call(step, cast.toReal(example.params));
      const told = shortened.get(step)?.(result as never) ?? result;
      differences.push(...cast.compare(told, example.result).map((difference) => `${step}: ${difference}`));
    }
  }
  return differences;
}

test('the story has every method once', () => {
  const told = story.filter((step) => typeof step === 'string');

  expect(told.toSorted()).toEqual(methodNames.toSorted());
});

test('the example of every method happens as it is told, on a WebSocket', async () => {
  await using daemon = await startDaemon();
  const agent = await daemon.connect();
  const call: Call = (method, params) => (isCalledByAgent(method) ? agent : daemon.connection).call(method, params);

  expect(await live(call)).toEqual([]);
});

test('the example of every method happens as it is told, over HTTP', async () => {
  await using daemon = await startDaemon();

  expect(await live(createHttpCall(daemon), ['event/subscribe', 'event/unsubscribe'])).toEqual([]);
});

function createHttpCall({ httpUrl, token }: Daemon): Call {
  const admin = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let session = {};
  return async (method, params) => {
    const headers = { ...admin, ...(isCalledByAgent(method) && session) };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(`${httpUrl}/rpc`, { method: 'POST', headers, body });
    const { result, error } = (await response.json()) as { result: unknown; error: unknown };
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    if (method === 'agent/register') session = { 'baton-session': (result as { resumeToken: string }).resumeToken };
    return result;
  };
}
