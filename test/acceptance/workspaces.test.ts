import { runCommandAgent } from '@baton/sdk';
import { mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLog } from '../../sdk/src/agent/agent-log.ts';
import { startDaemon } from '../support/daemon.ts';
import { createTestFolder } from '../support/database.ts';
import { followEvents } from '../support/events.ts';
import { createTicketIn, uniqueType } from '../support/work.ts';

const places = ['1', '2', '3', '4', '5'];

/** Leaves a file of the same name in its workspace, waits until all five have, and says where it ran and what lies there. */
const program = `
  const fs = require('node:fs');
  fs.writeFileSync('result.txt', process.env.BATON_TASK_ID);
  const all = ${JSON.stringify(places)}.map((place) => '../' + place + '/result.txt');
  const timer = setInterval(() => {
    if (!all.every((file) => fs.existsSync(file))) return;
    clearInterval(timer);
    console.log(JSON.stringify({ output: { cwd: process.cwd(), told: process.env.BATON_WORKSPACE, files: fs.readdirSync('.'), written: fs.readFileSync('result.txt', 'utf8') } }));
  }, 20);`;

test('W8 five jobs at once in five workspaces keep out of each other’s way', async () => {
  await using daemon = await startDaemon();
  await using folder = await createTestFolder('workspaces');
  const type = uniqueType();
  // As a program in it says where it is.
  const root = await realpath(folder.path);
  const workspaces = places.map((place) => join(root, place));
  for (const workspace of workspaces) await mkdir(workspace);
  const feed = await followEvents(daemon.connection);
  const drain = new AbortController();
  const agents = workspaces.map((workspace, index) =>
    runCommandAgent({
      name: `${type}-${index}`,
      capabilities: [type],
      command: [process.execPath, '-e', program],
      workspace,
      url: daemon.url,
      tokenFile: daemon.tokenFile,
      watchProcess: false,
      signal: drain.signal,
      log: createLog(() => {}),
    }),
  );

  const ticket = await createTicketIn(daemon.client, 'IMPLEMENTATION');
  const { tasks } = await daemon.client.task.submit({ ticketId: ticket.id, tasks: places.map(() => ({ type })) });
  for (const { id } of tasks) await feed.waitFor('task.completed', ({ data }) => data.taskId === id);
  const done = await Promise.all(tasks.map(({ id }) => daemon.client.task.get({ taskId: id })));
  drain.abort();
  await Promise.all(agents);

  const outputs = done.map(({ output }) => output as { cwd: string; told: string; files: string[]; written: string });
  expect(outputs.map(({ cwd }) => cwd).toSorted()).toEqual(workspaces);
  for (const [index, { cwd, told, files, written }] of outputs.entries()) {
    expect(told).toBe(cwd);
    expect(files).toEqual(['result.txt']);
    expect(written).toBe(tasks[index]!.id);
    expect(await readdir(cwd)).toEqual(['result.txt']);
  }
});
