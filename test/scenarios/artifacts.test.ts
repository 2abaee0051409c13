import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { registerTestAgent } from '../support/test-agent.ts';
import { createTicketIn, outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const notes = { type: 'notes', content: { text: 'A note.' } };
const log = (uri: string, more: object = {}) => ({ type: 'log', uri, sha256: 'a'.repeat(64), sizeBytes: 7, ...more });

describe('evidence', () => {
  test.each<[what: string, end: (ticketId: string) => Promise<unknown>, said: string]>([
    [
      'was cancelled',
      (ticketId) => daemon.client.ticket.cancel({ ticketId, reason: 'No longer wanted.' }),
      'was cancelled in REQUIREMENTS',
    ],
    [
      'is closed',
      async (ticketId) => {
        for (const to of ['DESIGN', 'IMPLEMENTATION', 'TESTING', 'DEPLOYMENT', 'DONE'])
          await daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'The test wants it.' });
      },
      'has come to its end in DONE',
    ],
  ])('for a ticket that %s is refused, and nothing is stored', async (_, end, said) => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await end(ticketId);

    const refused = daemon.client.artifact.put({ ticketId, artifact: notes });

    await expect(refused).rejects.toMatchObject({ kind: 'phase_closed', message: expect.stringContaining(said) as string });
    expect((await daemon.client.artifact.list({ ticketId })).artifacts).toEqual([]);
  });

  test('for a ticket that is blocked is refused until it is unblocked, since no gate would judge it', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    await daemon.client.ticket.block({ ticketId, reason: 'Nobody is here.' });

    const refused = daemon.client.artifact.put({ ticketId, artifact: notes });

    await expect(refused).rejects.toMatchObject({ kind: 'phase_closed', message: expect.stringContaining('ticket/unblock') as string });
    await daemon.client.ticket.unblock({ ticketId });
    expect(await daemon.client.artifact.put({ ticketId, artifact: notes })).toMatchObject({ phase: 'REQUIREMENTS', version: 1 });
  });

  test('that was made for another visit is refused, and the gate of this one does not see it', async () => {
    const { id: ticketId, visit } = await createTicketIn(daemon.client, 'TESTING');
    for (const to of ['IMPLEMENTATION', 'TESTING'])
      await daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'The test wants it.' });

    const late = daemon.client.artifact.put({ ticketId, artifact: notes, visit });

    await expect(late).rejects.toMatchObject({
      kind: 'version_conflict',
      data: { ticketId, visit, currentVisit: visit + 2 },
      message: expect.stringContaining(`visit ${visit + 2}, in TESTING`) as string,
    });
    expect((await daemon.client.artifact.list({ ticketId })).artifacts).toEqual([]);
    expect(await daemon.client.artifact.put({ ticketId, artifact: notes, visit: visit + 2 })).toMatchObject({ visit: visit + 2 });
  });

  test('that was stored in its visit is answered again with its key, wherever the ticket is by then', async () => {
    const { id: ticketId, visit } = await createTicketIn(daemon.client, 'REQUIREMENTS');
    const call = { ticketId, artifact: notes, visit, idempotencyKey: crypto.randomUUID() };
    const stored = await daemon.client.artifact.put(call);
    await daemon.client.ticket.block({ ticketId, reason: 'Nobody is here.' });

    expect(await daemon.client.artifact.put(call)).toEqual(stored);
  });

  test('that lies where no address leads to is refused, with the field and an example', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');

    const refused = daemon.client.artifact.put({ ticketId, artifact: log('the report') });

    await expect(refused).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path: 'artifact.uri', message: expect.stringContaining('https://example.com') as string }] },
    });
  });

  test('that an agent stores with its task alone keeps the attempt that has produced it', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    await submit({});
    const { taskId, attempt } = await agent.claimOne();
    await agent.client.task.release({ taskId, attempt });
    const again = await agent.claimOne();

    const stored = await agent.client.artifact.put({ ticketId: ticket.id, taskId, artifact: notes });

    expect([attempt, again.attempt]).toEqual([1, 2]);
    expect(stored).toMatchObject({ taskId, attempt: 2 });
    expect(await daemon.client.artifact.get({ artifactId: stored.id })).toMatchObject({ taskId, attempt: 2 });
  });

  test('for a ticket that is not there is refused as that, whatever it is', async () => {
    const put = daemon.client.artifact.put({ ticketId: crypto.randomUUID(), artifact: log('file:///a') });

    expect(await outcomeOf(put)).toBe('ticket_not_found');
  });
});

describe('the same content', () => {
  const putAll = async (...artifacts: readonly ReturnType<typeof log>[]) => {
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Evidence that moves' });
    for (const artifact of artifacts) await daemon.client.artifact.put({ ticketId, artifact });
    return (await daemon.client.artifact.list({ ticketId })).artifacts.map(({ version, uri, mediaType, sizeBytes }) => ({
      version,
      uri,
      mediaType,
      sizeBytes,
    }));
  };
  const first = { version: 1, uri: 'file:///a', mediaType: 'application/json', sizeBytes: 7 };

  test('in the same place makes no new version', async () => {
    expect(await putAll(log('file:///a'), log('file:///a'))).toEqual([first]);
  });

  test.each([
    ['in another place', log('file:///b'), { uri: 'file:///b' }],
    ['as something else', log('file:///a', { mediaType: 'text/plain' }), { mediaType: 'text/plain' }],
    ['of another size', log('file:///a', { sizeBytes: 8 }), { sizeBytes: 8 }],
  ])('%s is the next version, and the newest is what was said last', async (_, again, changed) => {
    expect(await putAll(log('file:///a'), again)).toEqual([first, { ...first, version: 2, ...changed }]);
  });

  test('of another token is the next version, since it is the word of somebody else', async () => {
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Evidence of two' });
    const people = [await daemon.connectAs('operator', 'bob'), await daemon.connectAs('operator', 'eva')];

    for (const { client } of people) await client.artifact.put({ ticketId, artifact: notes });

    const { artifacts } = await daemon.client.artifact.list({ ticketId });
    expect(artifacts.map(({ version, token }) => [version, token])).toEqual([
      [1, 'bob'],
      [2, 'eva'],
    ]);
  });

  test('from another task is the next version, since something was done in between', async () => {
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Evidence of two tasks' });
    const type = uniqueType();
    const agent = await registerTestAgent(daemon.connection, { capabilities: [type] });
    const { tasks } = await daemon.client.task.submit({ ticketId, tasks: [{ type }, { type }] });

    for (const _ of tasks) await agent.complete(await agent.claimOne(), { artifacts: [notes] });

    const { artifacts } = await daemon.client.artifact.list({ ticketId });
    expect(artifacts.map(({ version }) => version)).toEqual([1, 2]);
  });
});
