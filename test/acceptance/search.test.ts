import { outOfWorkStatuses } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTicketIn, outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  // Nobody beats, and nobody goes stale while a test runs.
  daemon = await startDaemon({ config: { heartbeatMs: 60_000, leaseMs: 180_000 } });
});
afterAll(() => daemon.stop());

/** Capabilities that no other test speaks of. */
const unique = (...names: readonly string[]) => {
  const mark = uniqueType();
  return names.map((name) => `${name}-${mark}`);
};

/** An agent that runs as many tasks as it can. */
async function connectBusyAgent(capabilities: readonly string[], { capacity = 1 } = {}) {
  const bench = await setUpBench(daemon, { capacity });
  await bench.submit(...Array.from({ length: capacity }, () => ({})));
  await bench.agent.claim({ max: capacity });
  await bench.agent.client.agent.update({ capabilities: [...capabilities] });
  return bench.agent;
}

test('A2 the idle agent that can do all scores 1.55, the busy one that can do half 0.75, and the parts are told', async () => {
  const [analysis, python, fastapi] = unique('analysis', 'python', 'fastapi') as [string, string, string];
  const busy = await connectBusyAgent([analysis]);
  const idle = await daemon.connectAgent({ capabilities: [analysis, python, fastapi], capacity: 3 });

  const { agents } = await daemon.client.agent.search({ capabilities: [analysis, python] });

  expect(agents.map(({ agent, score, parts, missing }) => ({ name: agent.name, status: agent.status, score, parts, missing }))).toEqual([
    { name: idle.name, status: 'idle', score: 1.55, parts: { coverage: 1, freeShare: 0.2, healthy: 0.2, capacity: 0.15 }, missing: [] },
    {
      name: busy.name,
      status: 'busy',
      score: 0.75,
      parts: { coverage: 0.5, freeShare: 0, healthy: 0.2, capacity: 0.05 },
      missing: [python],
    },
  ]);
});

test('A4 an agent with none of the capabilities is not found', async () => {
  const [wanted, other] = unique('wanted', 'other') as [string, string];
  await daemon.connectAgent({ capabilities: [other] });

  expect(await daemon.client.agent.search({ capabilities: [wanted] })).toEqual({ agents: [] });
});

test('A4 those that are given nothing new are found only where they are asked for', async () => {
  const [capability] = unique('mending') as [string];
  const { agent } = daemon.client;
  const connect = () => daemon.connectAgent({ capabilities: [capability] });
  for (const state of ['maintenance', 'quarantined', 'terminated'] as const)
    await agent.setState({ agentId: (await connect()).session.agentId, state, reason: 'The test asks for it.' });
  await (await connect()).client.agent.deregister({});
  await (await connect()).client.agent.setAvailability({ available: false });
  await (await connect()).client.agent.drain({});
  await connect();
  const statuses = async (include: (typeof outOfWorkStatuses)[number][]) =>
    (await agent.search({ capabilities: [capability], include })).agents.map(({ agent: { status } }) => status).toSorted();

  expect(await statuses([])).toEqual(['idle']);
  for (const status of outOfWorkStatuses) expect(await statuses([status])).toEqual(['idle', status].toSorted());
  expect(await statuses([...outOfWorkStatuses])).toEqual(['idle', ...outOfWorkStatuses].toSorted());
});

test('A5 of equal scores the one with more free slots comes first, then the one with the lower id, every time', async () => {
  const [capability] = unique('sorting') as [string];
  const connect = (capacity: number) => daemon.connectAgent({ capabilities: [capability], capacity });
  const connected = await Promise.all([5, 7, 5, 7, 6, 5].map(connect));
  const expected = connected
    .map(({ session: { agentId } }, index) => ({ agentId, capacity: [5, 7, 5, 7, 6, 5][index]! }))
    .toSorted((a, b) => b.capacity - a.capacity || (a.agentId < b.agentId ? -1 : 1))
    .map(({ agentId }) => agentId);

  for (let round = 0; round < 5; round += 1) {
    const { agents } = await daemon.client.agent.search({ capabilities: [capability] });
    expect(agents.map(({ agent }) => agent.id)).toEqual(expected);
    expect(new Set(agents.map(({ score }) => score))).toEqual(new Set([1.65]));
  }
});

test('a need for a range of versions is met by those that say which version they have', async () => {
  const [python] = unique('python') as [string];
  const offers = [`${python}@3.10.9`, `${python}@3.12.1`, `${python}@4.0.0`, python];
  for (const offer of offers) await daemon.connectAgent({ capabilities: [offer] });
  const find = async (capabilities: string[]) =>
    (await daemon.client.agent.search({ capabilities })).agents.map(({ agent }) => agent.capabilities.join()).toSorted();

  expect(await find([`${python}@>=3.11 <4`])).toEqual([`${python}@3.12.1`]);
  expect(await find([`${python}@^5`])).toEqual([]);
  expect(await find([python])).toEqual(offers.toSorted());
  expect(await outcomeOf(daemon.client.agent.search({ capabilities: [`${python}@>=>3`] }))).toBe('invalid_params');
});

test('tags, type, phase and a part of the name narrow the search', async () => {
  const [capability] = unique('narrow') as [string];
  const plain = await daemon.connectAgent({ capabilities: [capability] });
  const named = await daemon.connectAgent({ name: `Agent-${uniqueType()}-Berlin`, capabilities: [capability], tags: ['gpu', 'fast'] });
  await plain.client.agent.update({ type: 'reviewer', phase: 'TESTING' });
  const find = async (query: Parameters<typeof daemon.client.agent.search>[0]) =>
    (await daemon.client.agent.search({ capabilities: [capability], ...query })).agents.map(({ agent }) => agent.name);

  expect(await find({ tags: ['fast', 'gpu'] })).toEqual([named.name]);
  expect(await find({ tags: ['fast', 'cheap'] })).toEqual([]);
  expect(await find({ type: 'reviewer' })).toEqual([plain.name]);
  expect(await find({ phase: 'TESTING' })).toEqual([plain.name]);
  expect(await find({ text: 'BERLIN' })).toEqual([named.name]);
  expect(await find({ text: '%' })).toEqual([]);
  expect(await find({ limit: 1 })).toHaveLength(1);
});

test('an agent of another project is not found', async () => {
  const [capability] = unique('foreign') as [string];
  await daemon.connectAgent({ capabilities: [capability] });
  await daemon.client.project.create({ name: capability });
  const { token } = await daemon.client.token.create({ name: 'elsewhere', role: 'viewer', project: capability });
  const call = async (method: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { capabilities: [capability] } });
    return ((await (await fetch(`${daemon.httpUrl}/rpc`, { method: 'POST', headers, body })).json()) as { result: unknown }).result;
  };

  expect(await call('agent/search')).toEqual({ agents: [] });
  expect(await call('agent/bestFit')).toEqual({ unoffered: [capability], passedOver: [] });
});

describe('the best fit', () => {
  test('is the first that offers all and has a free slot, even where another scores more', async () => {
    const [common, rare] = unique('common', 'rare') as [string, string];
    await daemon.connectAgent({ capabilities: [common], capacity: 5 });
    await connectBusyAgent([common, rare], { capacity: 2 });
    const free = await daemon.connectAgent({ capabilities: [common, rare], capacity: 1 });

    const { best, passedOver } = await daemon.client.agent.bestFit({ capabilities: [common, rare] });

    expect(best?.agent.name).toBe(free.name);
    expect(passedOver).toEqual([]);
  });

  test('is nobody where all that could are hindered, and each hindrance is told', async () => {
    const [common, rare, unheard] = unique('common', 'rare', 'unheard') as [string, string, string];
    const half = await daemon.connectAgent({ capabilities: [common] });
    const busy = await connectBusyAgent([common, rare], { capacity: 2 });
    const resting = await daemon.connectAgent({ capabilities: [rare, common] });
    const { agentId } = resting.session;
    await daemon.client.agent.setState({ agentId, state: 'quarantined', reason: 'It writes nonsense.' });

    const { best, unoffered, passedOver } = await daemon.client.agent.bestFit({ capabilities: [common, rare, unheard] });

    const reasonsOf = new Map(passedOver.map(({ agentName, reasons }) => [agentName, reasons]));
    expect(best).toBeUndefined();
    expect(unoffered).toEqual([unheard]);
    expect(reasonsOf).toEqual(
      new Map([
        [half.name, [`It does not offer ${rare}, ${unheard}.`]],
        [busy.name, [`It does not offer ${unheard}.`, 'All 2 of its slots are taken.']],
        [resting.name, [`It does not offer ${unheard}.`, 'It is in quarantine. It writes nonsense.']],
      ]),
    );
  });
});

test('a task for a range of versions goes to the agent whose version is within it', async () => {
  const [python] = unique('python') as [string];
  const old = await daemon.connectAgent({ capabilities: [`${python}@3.10.9`] });
  const recent = await daemon.connectAgent({ capabilities: [`${python}@3.12.1`] });
  const ticket = await createTicketIn(daemon.client, 'REQUIREMENTS');
  await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'compute', capabilities: [`${python}@>=3.11 <4`] }] });

  const claim = await recent.claimOne();

  expect(claim.type).toBe('compute');
  await recent.client.task.release({ taskId: claim.taskId, attempt: claim.attempt });
  await recent.client.agent.deregister({});
  expect(await old.claim()).toEqual([]);
});
