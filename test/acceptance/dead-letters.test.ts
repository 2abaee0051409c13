import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { backoffBaseMs: 1 } });
});
afterAll(() => daemon.stop());

/** A ticket with tasks that have failed in this order, each with a code of its own. */
async function setUpFailures(...codes: readonly string[]) {
  const bench = await setUpBench(daemon);
  const ids: string[] = [];
  for (const code of codes) {
    const [id] = await bench.submit({ title: `Fails with ${code}` });
    const { taskId, attempt } = await bench.agent.claimOne();
    await bench.agent.client.task.fail({ taskId, attempt, permanent: true, error: { code, message: `It was ${code}.` } });
    ids.push(id!);
  }
  return { ...bench, ids };
}

test('Q7 a dead letter tells the last error, the attempts and who made the last, until it is retried', async () => {
  const { ticket, agent, submit } = await setUpBench(daemon);
  const [taskId] = await submit({ ref: 'fetch', title: 'Fetch the file', maxAttempts: 2 });
  await agent.fail(await agent.claimOne(), { message: 'The first time.' });
  await agent.fail(await agent.claimOne(), { message: 'The second time.' });

  const { deadLetters } = await daemon.client.task.deadLetters({ ticketId: ticket.id });
  await daemon.client.task.retry({ taskId: taskId! });
  const retried = await daemon.client.task.deadLetters({ ticketId: ticket.id });

  expect(deadLetters).toMatchObject([
    {
      taskId,
      ticketId: ticket.id,
      phase: 'REQUIREMENTS',
      ref: 'fetch',
      title: 'Fetch the file',
      error: { code: 'task_failed', message: 'The second time.' },
      outcome: 'failed',
      attempt: 2,
      maxAttempts: 2,
      agentId: agent.session.agentId,
      agentName: agent.name,
      isRetryable: true,
    },
  ]);
  expect(retried.deadLetters).toEqual([]);
});

test('dead letters come the newest first, page by page, each once', async () => {
  const { ticket, ids } = await setUpFailures('one', 'two', 'three', 'four', 'five');
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const page = await daemon.client.task.deadLetters({ ticketId: ticket.id, limit: 2, ...(after !== undefined && { after }) });
    pages.push(page.deadLetters.map(({ taskId }) => taskId));
    after = page.next;
  } while (after !== undefined);

  expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
  expect(pages.flat()).toEqual(ids.toReversed());
});

test('dead letters are chosen by the code of their error, over all tickets', async () => {
  const code = `code-${crypto.randomUUID()}`;
  const [one, two] = [await setUpFailures(code, 'other'), await setUpFailures(code)];

  const { deadLetters } = await daemon.client.task.deadLetters({ code });

  expect(deadLetters.map(({ taskId }) => taskId)).toEqual([two.ids[0], one.ids[0]]);
});

test('a dead letter of a phase that was left says that it cannot be retried, and it cannot', async () => {
  const { ticket, ids } = await setUpFailures('late');
  await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED' });

  const { deadLetters } = await daemon.client.task.deadLetters({ ticketId: ticket.id });

  expect(deadLetters).toMatchObject([{ taskId: ids[0], isRetryable: false }]);
  expect(await outcomeOf(daemon.client.task.retry({ taskId: ids[0]! }))).toBe('phase_closed');
});

test.each(['nonsense', '2026-03-02 09:12:00+00/nobody', '2026-99-99 09:12:00+00/00000000-0000-7000-8000-000000000d02'])(
  'a cursor that is none, %s, is refused',
  async (after) => {
    await expect(daemon.client.task.deadLetters({ after })).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path: 'after' }] },
    });
  },
);
