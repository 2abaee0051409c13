import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
import { createTicketIn, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

/** An agent without a connection: every call is a request of its own, with the session's token. */
async function registerOverHttp() {
  const type = uniqueType();
  const place = { url: daemon.httpUrl, token: daemon.token };
  const session = await createClient(callOverHttp(place)).agent.register({ name: type, capabilities: [type], capacity: 1 });
  return { type, client: createClient(callOverHttp({ ...place, sessionToken: session.resumeToken })) };
}

const parkedClaims = async () => (await fetchFigures(daemon)).get('baton_claims_parked');

test('an agent lives on requests alone: it registers, waits for work, does it and says goodbye', async () => {
  const { type, client } = await registerOverHttp();
  const ticket = await createTicketIn(daemon.client, 'REQUIREMENTS');

  const claimed = client.task.claim({ max: 1, waitMs: 60_000 });
  await eventually(async () => expect(await parkedClaims()).toBe(1));
  await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type }] });
  const [claim] = (await claimed).claims;

  expect(await client.agent.heartbeat({ attempts: [{ taskId: claim!.taskId, attempt: claim!.attempt }] })).toMatchObject({ revoked: [] });
  await client.task.complete({ taskId: claim!.taskId, attempt: claim!.attempt, output: { ok: true } });
  expect((await daemon.client.task.get({ taskId: claim!.taskId })).state).toBe('completed');
  await client.agent.deregister({});
  await expect(client.agent.heartbeat({})).rejects.toMatchObject({ kind: 'session_unknown' });
});

test('a request that hangs up waits no more', async () => {
  const { client } = await registerOverHttp();
  const hangUp = new AbortController();
  const claimed = client.task.claim({ max: 1, waitMs: 60_000 }, { signal: hangUp.signal });
  await eventually(async () => expect(await parkedClaims()).toBe(1));

  hangUp.abort();

  await expect(claimed).rejects.toMatchObject({ kind: 'cancelled' });
  await eventually(async () => expect(await parkedClaims()).toBe(0));
});

test('a subscription is not for requests, which end', async () => {
  const { client } = await registerOverHttp();

  await expect(client.event.subscribe({})).rejects.toMatchObject({ kind: 'invalid_request' });
});
