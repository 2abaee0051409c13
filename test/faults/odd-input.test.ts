import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const beyondInt = 2 ** 31;

test('a cursor that nobody was given is the caller’s mistake', async () => {
  const { ticket } = await setUpBench(daemon);
  const { client } = daemon;

  const outcomes = {
    'task/list': await outcomeOf(client.task.list({ after: 'nobody' })),
    'ticket/list': await outcomeOf(client.ticket.list({ after: 'nobody' })),
    'artifact/list': await outcomeOf(client.artifact.list({ ticketId: ticket.id, after: 'nobody' })),
    'ticket/history': await outcomeOf(client.ticket.history({ ticketId: ticket.id, after: 'nobody' })),
    'ticket/history, large': await outcomeOf(client.ticket.history({ ticketId: ticket.id, after: `${beyondInt}` })),
    'workflow/list': await outcomeOf(client.workflow.list({ after: '\0' })),
    'gate/results': await outcomeOf(client.gate.results({ ticketId: ticket.id, after: 'nobody' })),
    'context/list': await outcomeOf(client.context.list({ ticketId: ticket.id, after: 'nobody' })),
    'context/list, large': await outcomeOf(client.context.list({ ticketId: ticket.id, after: `c:${beyondInt}` })),
  };

  expect(Object.entries(outcomes).filter(([, outcome]) => outcome === 'internal')).toEqual([]);
});

test('an attempt that no integer column holds is stale or refused, and no failure of ours', async () => {
  const { submit, agent } = await setUpBench(daemon);
  await submit({});
  const { taskId } = await agent.claimOne();
  const of = { taskId, attempt: beyondInt };

  const outcomes = {
    'task/progress': await outcomeOf(agent.client.task.progress({ ...of, progress: {} })),
    'task/complete': await outcomeOf(agent.client.task.complete(of)),
    'lock/release': await outcomeOf(agent.client.lock.release(of)),
    'lock/renew': await outcomeOf(agent.client.lock.renew({ ...of, keys: ['test:a'] })),
    'agent/heartbeat': await outcomeOf(agent.client.agent.heartbeat({ attempts: [of] })),
  };

  expect(Object.entries(outcomes).filter(([, outcome]) => outcome === 'internal')).toEqual([]);
});
