import { connect } from '@baton/sdk/connection';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTestDatabase, createTestFolder } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startFixtureProcess } from '../support/fixture-agent.ts';
import { spawnDaemon, startBaton } from '../support/process.ts';
import { createTicketIn } from '../support/work.ts';

// Node opens its inspector at SIGUSR1, which whoever has the same user may send, a plugin for one. Any free port: the usual one may be taken.
const env = { NODE_OPTIONS: '--inspect-port=0' };

test('SIGUSR1 opens no inspector in the coordinator, which goes on', async () => {
  await using folder = await createTestFolder('data');
  await using database = await createTestDatabase();
  await using daemon = await spawnDaemon(['--data', folder.path, '--database-url', database.url], { env });
  const { url, tokenFile } = daemon.ready;

  daemon.kill('SIGUSR1');
  const connection = await connect({ url, tokenFile, reconnect: false });
  await connection.client.coordinator.info();
  await connection.close();
  daemon.kill('SIGTERM');

  expect(await daemon.exited).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Debugger') as string });
});

describe('SIGUSR1 opens no inspector in an agent, which goes on,', () => {
  const module = fileURLToPath(new URL('../../sdk/src/agent/agent-fixture.ts', import.meta.url));
  const startBySelf = (daemon: Daemon) => {
    const { child, lines, exited } = startFixtureProcess(daemon, { env });
    return { kill: child.kill.bind(child), exited: exited.then(({ code }) => ({ code, stderr: lines.items.join('\n') })) };
  };
  const startByCommand = ({ url, tokenFile }: Daemon) => startBaton(['agent', module, '--url', url, '--token-file', tokenFile], { env });

  test.each([
    ['by itself', startBySelf],
    ['by baton agent', startByCommand],
  ])('started %s', async (_, start) => {
    await using daemon = await startDaemon();
    const agent = start(daemon);
    const ticket = await createTicketIn(daemon.client, 'TESTING');
    const work = async () => {
      const { tasks } = await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'nap', input: { ms: 1 } }] });
      await eventually(async () => expect(await daemon.client.task.get({ taskId: tasks[0]!.id })).toMatchObject({ state: 'completed' }));
    };
    await work();

    agent.kill('SIGUSR1');
    await work();
    agent.kill('SIGTERM');

    expect(await agent.exited).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Debugger') as string });
  });
});
