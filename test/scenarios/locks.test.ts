import '../support/leaks.ts';
import { readFile } from 'node:fs/promises';
import { CoordinatorError } from '@baton/protocol';
import { runAgent } from '@baton/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { createTicketIn, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const baton = (...args: readonly string[]) => runBatonAt(daemon, ...args);

describe('in the SDK', () => {
  test('a lock names the member of a range and the fence, can be checked, and is gone after its release', async () => {
    const drain = new AbortController();
    const { url, token } = daemon;
    const module = new URL('../support/fixtures/locking-agent.ts', import.meta.url);
    const ended = runAgent(module, { url, token, name: 'locking', watchProcess: false, signal: drain.signal });
    const ticket = await createTicketIn(daemon.client, 'TESTING');
    const submitted = await daemon.client.task.submit({
      ticketId: ticket.id,
      tasks: [
        { type: 'take-lock', input: { key: 'port:3000-3100' }, capabilities: ['locking'], locks: [{ key: 'port:3000' }] },
        { type: 'take-lock', input: { key: 'file:./src/**' }, capabilities: ['locking'], locks: [{ key: 'slot:1-4' }] },
      ],
    });
    const outputs = await Promise.all(
      submitted.tasks.map(({ id }) =>
        eventually(async () => {
          const task = await daemon.client.task.get({ taskId: id });
          expect(task.state).toBe('completed');
          return task.output;
        }),
      ),
    );
    drain.abort();
    await ended;

    const fence = expect.any(Number) as number;
    expect(outputs).toEqual([
      { fence, keys: ['port:3001'], held: true, heldAfter: false, declared: ['port:3000'] },
      { fence, keys: ['file:src/**'], held: true, heldAfter: false, declared: ['slot:1'] },
    ]);
  });
});

describe('baton locks', () => {
  test('define gives a key its places, and the list shows how many are used, who holds and who waits', async () => {
    const [ada, bob] = [await daemon.connectAgent({ name: 'ada' }), await daemon.connectAgent({ name: 'bob' })];

    const defined = await baton('locks', 'define', 'pool:gpu', '--places', '4');
    await ada.client.lock.acquire({ keys: [{ key: 'pool:gpu', places: 3 }] });
    const waiting = bob.client.lock.acquire({ keys: [{ key: 'pool:gpu', places: 2 }], waitMs: 60_000 });
    await eventually(async () => expect((await daemon.client.lock.get({ key: 'pool:gpu' })).waiters).toHaveLength(1));
    const table = await baton('locks');
    const json = await baton('locks', 'define', 'pool:gpu', '--places', '5', '--json');
    await waiting;

    expect(defined).toMatchObject({ code: 0, stdout: 'pool:gpu has 4 places, of which 0 are held.\n' });
    expect(table.stdout).toMatch(/^KEY +PLACES +FENCE +HELD BY +WAITING\n/);
    expect(table.stdout).toMatch(/^pool:gpu +3\/4 +1 +ada \(exclusive ×3\), since .+, ends in .+ bob \(exclusive\), since .+$/m);
    expect(JSON.parse(json.stdout)).toMatchObject({ key: 'pool:gpu', places: 5 });
  });

  test('tasks are called by their titles, and what nobody holds or waits for is left out', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const key = `test:${crypto.randomUUID()}`;
    const idle = `pool:${crypto.randomUUID()}`;
    await baton('locks', 'define', idle, '--places', '2');
    await submit({ title: 'First', locks: [{ key }] }, { title: 'Second', locks: [{ key }] });
    await agent.claim({ max: 2 });

    const { stdout } = await baton('locks');
    const all = await baton('locks', '--all');

    expect(stdout.split('\n').find((line) => line.startsWith(key))).toMatch(
      new RegExp(` ${agent.name} \\(exclusive\\), for "First", since .+ {2}"Second" \\(exclusive\\), since .+$`),
    );
    expect([stdout.includes(idle), all.stdout.includes(idle)]).toEqual([false, true]);
  });

  test.each([
    [['define', 'pool:gpu'], 2, /--places/],
    [['define', 'pool:gpu', '--places', 'many'], 2, /--places/],
    [['define', 'file:src/*', '--places', '2'], 1, /lock_key_invalid/],
  ])('%j ends with %i and says why', async (args, code, reason) => {
    expect(await baton('locks', ...args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(reason) as string });
  });
});

test('a refusal says when what is in the way will have ended, where that is known', async () => {
  const [ada, bob] = [await daemon.connectAgent(), await daemon.connectAgent()];
  const { agent, submit } = await setUpBench(daemon);
  const [timed, held] = [`test:${crypto.randomUUID()}`, `test:${crypto.randomUUID()}`];
  await submit({ locks: [{ key: held }] });
  await agent.claimOne();
  await ada.client.lock.acquire({ keys: [{ key: timed }], ttlMs: 3_600_000 });
  const refusalOf = (key: string) =>
    bob.client.lock.acquire({ keys: [{ key }] }).then(
      () => undefined,
      (error: unknown) => (error instanceof CoordinatorError ? error.data : error),
    );

  expect(await refusalOf(timed)).toMatchObject({ kind: 'lock_conflict', expiresInMs: expect.closeTo(3_600_000, -6) as number });
  expect(await refusalOf(held)).not.toHaveProperty('expiresInMs');
});

describe('what the guide says', async () => {
  const guide = await readFile(new URL('../../docs/guide/locks.md', import.meta.url), 'utf8');
  const cells = (row: string) => row.split('|').map((cell) => /`([^`]+)`/.exec(cell)?.[1]);
  const rows = guide
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map(cells);

  test.each(rows.filter((row) => row.length === 5))('of keys that meet is so: %s%s and %s', async (_, held, wanted, witness) => {
    const [ada, bob] = [await daemon.connectAgent(), await daemon.connectAgent()];
    await ada.client.lock.acquire({ keys: [{ key: held! }] });

    const refusal = await bob.client.lock.acquire({ keys: [{ key: wanted! }] }).then(
      () => undefined,
      (error: unknown) => (error instanceof CoordinatorError ? [error.kind, error.data['key'], error.data['witness']] : error),
    );

    expect(refusal).toEqual(witness === undefined ? undefined : ['lock_conflict', held, witness]);
    await ada.client.lock.release({});
    await bob.client.lock.release({});
  });
});
