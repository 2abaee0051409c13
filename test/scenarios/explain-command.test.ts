import type { Explanation } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const explain = (...args: readonly string[]) => runBatonAt(daemon, 'explain', ...args);

test('baton explain TASK says why it does not run, and what keeps each agent from it', async () => {
  const { agent, submit } = await setUpBench(daemon, { capacity: 1 });
  await submit({ title: 'Fetch' });
  await agent.claimOne();
  const [taskId] = await submit({ title: 'Parse' });

  const { code, stdout } = await explain(taskId!);

  const lines = stdout.split('\n');
  expect(code).toBe(0);
  expect(lines[0]).toBe('"Parse" is ready: the one agent that offers what it needs cannot take it now.');
  expect(lines.find((line) => line.startsWith(agent.name))).toMatch(/ {2}It has no free slot: it runs 1 of 1\.$/);
});

test('baton explain AGENT says why it is given nothing, by name or by id', async () => {
  const { agent, submit } = await setUpBench(daemon);
  await submit({ title: 'Parse' });

  const byName = await explain(agent.name);
  const byId = await explain(agent.session.agentId);

  expect(byName).toEqual(byId);
  expect(byName.stdout).toMatch(
    new RegExp(`^${agent.name} is given nothing: no call of it waits for work here\\.\n\nTASK +WHY NOT\nParse +Nothing`),
  );
});

test('of a task that waits for its time it says how long, and who could take it then', async () => {
  const { agent, submit } = await setUpBench(daemon);
  const [taskId] = await submit({ title: 'Parse', delayMs: 95 * 60_000 });
  const asking = new AbortController();
  const claimed = agent.client.task.claim({ waitMs: 60_000 }, { signal: asking.signal }).catch(() => undefined);

  const stdout = await eventually(async () => {
    const { stdout } = await explain(taskId!);
    expect(stdout).not.toContain('no call of it waits');
    return stdout;
  });
  asking.abort();
  await claimed;

  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^"Parse" is ready: it may run in 1 h 3\d min\.$/);
  expect(lines.find((line) => line.startsWith(agent.name))).toMatch(/ {2}It could take it then\.$/);
});

test('baton explain --json prints the answer of scheduler/explain', async () => {
  const { submit } = await setUpBench(daemon);
  const [, taskId] = await submit({ ref: 'a', title: 'Fetch' }, { title: 'Parse', dependsOn: ['a'] });

  const { stdout } = await explain(taskId!, '--json');

  expect((JSON.parse(stdout) as Explanation).obstacles).toMatchObject([{ code: 'dependencies_pending', tasks: [{ title: 'Fetch' }] }]);
});

test.each([crypto.randomUUID(), 'nobody'])('what is neither a task nor an agent is said to be so: %s', async (subject) => {
  const { code, stderr } = await explain(subject);

  expect(code).toBe(1);
  expect(stderr).toMatch(/^There is no (task and no )?agent /);
});
