import { expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { startDaemon } from '../support/daemon.ts';
import { fetchFigures } from '../support/figures.ts';
import { createTenant } from '../support/tenant.ts';
import { createTicketIn, setUpBench } from '../support/work.ts';

test('the status of a project counts what is open in it, and reads no list for that', async () => {
  await using daemon = await startDaemon();
  const { agent, submit } = await setUpBench(daemon);
  await submit({ ref: 'done' }, { ref: 'begun' }, { ref: 'later', dependsOn: ['begun'] }, { ref: 'next' }, { ref: 'last' });
  await agent.complete(await agent.claimOne());
  await agent.claimOne();
  await createTicketIn(daemon.client, 'BLOCKED');
  await createTicketIn(daemon.client, 'DONE');
  await (await daemon.connectAgent({ capabilities: ['any'] })).client.agent.deregister({});
  await createTenant(daemon, 'shop');
  const counts = { agents: 1, tickets: { open: 1, blocked: 1 }, tasks: { blocked: 1, ready: 2, running: 1 } };

  const told = await runBatonAt(daemon, 'status', '--json');
  const shown = await runBatonAt(daemon, 'status');

  expect(JSON.parse(told.stdout)).toMatchObject({ name: 'baton', project: 'default', ...counts });
  expect(shown.stdout).toContain('Agents   1\nTickets  1 open, 1 blocked\nTasks    1 running, 2 ready, 1 blocked\n');
  expect(await daemon.client.project.status()).toEqual(counts);
  const lists = [...(await fetchFigures(daemon)).keys()].filter((name) => /method="(agent|task|ticket)\/list"/.test(name));
  expect(lists).toEqual([]);
});
