import { connect, type Connection } from '@baton/sdk/connection';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../coordinator/src/wire/auth.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { registerTestAgent, type TestAgent } from '../support/test-agent.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
let connection: Connection;
let stranger: TestAgent;
beforeAll(async () => {
  daemon = await startDaemon();
  await daemon.client.project.create({ name: 'another' });
  const { id, token, secretHash } = createToken();
  const client = new Client(daemon.databaseUrl);
  await client.connect();
  await client.query(
    `insert into tokens (id, project_id, name, role, secret_hash) select $1, id, 'stranger', 'admin', $2 from projects where name = 'another'`,
    [id, secretHash],
  );
  await client.end();
  connection = await connect({ url: daemon.url, token, reconnect: false });
  stranger = await registerTestAgent(connection, { capabilities: ['work'] });
});
afterAll(async () => {
  await connection.close();
  await daemon.stop();
});

async function runTask() {
  const bench = await setUpBench(daemon);
  await bench.submit({ title: 'A secret' });
  return bench.agent.claimOne();
}

const refusalOf = async (call: Promise<unknown>): Promise<{ kind: string; data: Record<string, unknown> }> => {
  try {
    await call;
  } catch (error) {
    return error as { kind: string; data: Record<string, unknown> };
  }
  return { kind: 'accepted', data: {} };
};

test('the running attempt of another project cannot be the parent of a task', async () => {
  const { taskId, attempt } = await runTask();
  const ticket = await stranger.client.ticket.create({ title: 'Of the stranger' });

  const { kind } = await refusalOf(
    stranger.client.task.submit({ ticketId: ticket.id, parent: { taskId, attempt }, tasks: [{ type: 'work' }] }),
  );

  expect(kind).toBe('claim_stale');
});

test('an attempt of another ticket cannot be the parent of a task', async () => {
  const { taskId, attempt } = await runTask();
  const ticket = await daemon.client.ticket.create({ title: 'Another' });

  const { kind } = await refusalOf(
    daemon.client.task.submit({ ticketId: ticket.id, parent: { taskId, attempt }, tasks: [{ type: 'work' }] }),
  );

  expect(kind).toBe('claim_stale');
});

test.each(['complete', 'fail', 'release'] as const)('task/%s tells nothing of a task of another project', async (verb) => {
  const { taskId, attempt } = await runTask();
  const of = { taskId, attempt: attempt + 1 };

  const { kind, data } = await refusalOf(
    verb === 'fail' ? stranger.client.task.fail({ ...of, error: { message: 'x' } }) : stranger.client.task[verb](of),
  );

  expect(kind).toBe('claim_stale');
  expect(data).not.toHaveProperty('state');
  expect(data).not.toHaveProperty('currentAttempt');
});
