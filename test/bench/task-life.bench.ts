import { afterAll, beforeAll, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type Bench, setUpBench } from '../support/work.ts';

// Through a socket, the coordinator and a real PostgreSQL without fsync: what Baton itself costs.
let daemon: Daemon;
let one: Bench;
let hundred: Bench;
beforeAll(async () => {
  daemon = await startDaemon();
  one = await setUpBench(daemon);
  hundred = await setUpBench(daemon, { capacity: 100 });
});
afterAll(() => daemon.stop());

test('the life of a task', async ({ bench }) => {
  await bench.compare(
    bench('submit, claim and complete one', async () => {
      await one.submit({});
      await one.agent.complete(await one.agent.claimOne());
    }),
    bench('submit, claim and complete a hundred, calls side by side', async () => {
      await hundred.submit(...Array.from({ length: 100 }, () => ({})));
      const claims = await hundred.agent.claim({ max: 100 });
      await Promise.all(claims.map((claim) => hundred.agent.complete(claim)));
    }),
  );
});

test('a call that only reads', async ({ bench }) => {
  await bench('ticket/get', async () => {
    await daemon.client.ticket.get({ ticketId: one.ticket.id });
  }).run();
});
