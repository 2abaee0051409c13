import '../support/leaks.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createPlanFolder, expectGone } from '../support/plan-folder.ts';
import { spawnBaton, startBaton } from '../support/process.ts';

test('Ctrl-C ends a run with all its processes, and says how to go on', async () => {
  await using place = await createPlanFolder({ store: 'embedded' });
  const plan = await place.writePlan({
    IMPLEMENTATION: { tasks: [{ type: 'write-file', input: { file: 'a', takesMs: 600_000 } }], gate: {} },
  });
  const running = startBaton(place.runArguments(plan));
  const agentPid = await place.writerOf('a');

  running.kill('SIGINT');
  const { code, stdout, stderr } = await running.exited;

  expect(code).toBe(130);
  expect(stdout).toContain('stopping; the running task has a few seconds to finish, a second Ctrl-C does not wait');
  expect(stderr).toBe(`Stopped. \`baton run '${plan}' --resume --data '${place.dataDir}'\` goes on with it.\n`);
  await expectGone(agentPid);
  expect((await place.readReport()).outcome).toBe('interrupted');
});

test('a run whose last task is still finished after Ctrl-C has ended by itself', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan({ TESTING: { tasks: [{ type: 'write-file', input: { file: 'a', takesMs: 500 } }], gate: {} } });
  const running = startBaton(place.runArguments(plan));
  await place.writerOf('a');

  running.kill('SIGINT');
  const { code, stderr } = await running.exited;

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect((await place.readReport()).outcome).toBe('done');
});

test('a run that was killed goes on with --resume, and does nothing again that was done', async () => {
  await using place = await createPlanFolder({ store: 'embedded' });
  const step = (file: string, takesMs: number, ...dependsOn: string[]) => ({
    ref: file,
    type: 'write-file',
    input: { file, takesMs },
    dependsOn,
  });
  const plan = await place.writePlan({
    IMPLEMENTATION: { tasks: [step('a', 0), step('b', 3_000, 'a'), step('c', 0, 'b')], gate: { artifacts: ['code_changes'] } },
  });
  const first = startBaton(place.runArguments(plan));
  const agentPid = await place.writerOf('b');
  first.kill('SIGKILL');
  await first.exited;
  await expectGone(agentPid);

  const { code, stdout } = await spawnBaton(place.runArguments(plan, '--resume'));

  expect({ code, stdout }).toMatchObject({ code: 0 });
  const journalled = await place.readJournal();
  expect(journalled.filter((entry) => entry.startsWith('begin a'))).toHaveLength(1);
  expect(journalled.filter((entry) => entry === 'end c')).toHaveLength(1);
  expect(await place.readReport()).toMatchObject({ outcome: 'done', tasks: { total: 3, byState: { completed: 3 } } });

  const again = await spawnBaton(place.runArguments(plan, '--resume'));
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('has ended: its ticket is closed in DONE');

  await writeFile(plan, `${await readFile(plan, 'utf8')}\n`);
  const changed = await spawnBaton(place.runArguments(plan, '--resume'));
  expect(changed.code).toBe(1);
  expect(changed.stderr).toContain('was changed since run');
});

test('a second Ctrl-C does not wait, and a new run sets the unfinished one aside', async () => {
  await using place = await createPlanFolder();
  const writePlan = (takesMs: number) =>
    place.writePlan({ IMPLEMENTATION: { tasks: [{ type: 'write-file', input: { file: 'a', takesMs } }], gate: {} } });
  const plan = await writePlan(600_000);
  const running = startBaton(place.runArguments(plan));
  const agentPid = await place.writerOf('a');

  running.kill('SIGINT');
  running.kill('SIGTERM');
  const { code } = await running.exited;

  expect(code).toBe(130);
  await expectGone(agentPid);

  const next = await spawnBaton(place.runArguments(await writePlan(0)));
  expect(next).toMatchObject({ code: 0, stderr: '' });
  expect(next.stdout).toContain('was not finished and is set aside; --resume would have gone on with it');
  expect((await place.readReport()).tasks.byState).toEqual({ completed: 1 });
});
