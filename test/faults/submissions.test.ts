import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
/** A second coordinator over the same database. */
let other: Daemon;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql' });
  other = await startDaemon({ databaseUrl: daemon.databaseUrl! });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await other.stop();
  await daemon.stop();
});

/** Holds the row of a ticket's visit, as a slow transaction would: submissions gather behind the one that stands there. */
async function holdVisit(ticketId: string): Promise<() => Promise<void>> {
  const client = new Client(daemon.databaseUrl);
  await client.connect();
  await client.query('begin');
  await client.query('select 1 from phase_visits where id = (select visit_id from tickets where id = $1) for update', [ticketId]);
  return async () => {
    await client.query('commit');
    await client.end();
  };
}

const whenBlocked = () =>
  eventually(async () => {
    const { rows } = await observer.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows[0]?.n).toBe(1);
  });

/** In how many transactions the tasks of a ticket were made. */
async function countTransactions(ticketId: string): Promise<number> {
  const { rows } = await observer.query<{ n: number }>('select count(distinct xmin::text)::int as n from tasks where ticket_id = $1', [
    ticketId,
  ]);
  return rows[0]!.n;
}

const refsOf = async (ticketId: string) => (await daemon.client.task.list({ ticketId, limit: 1_000 })).tasks.map(({ ref }) => ref);

describe('submissions that gather while another is under way', () => {
  /** The first stands behind the visit's row; the others share the next transaction. */
  async function gather(ticketId: string, first: () => Promise<unknown>, others: readonly (() => Promise<unknown>)[]) {
    const letGo = await holdVisit(ticketId);
    const under = first();
    await whenBlocked();
    const gathered = Promise.allSettled(others.map((call) => call()));
    // Answered over the same connection, after those before it were taken in.
    await daemon.client.project.list();
    await letGo();
    await under;
    return gathered;
  }

  test('share a transaction, each with its own answer', async () => {
    const { ticket, submit } = await setUpBench(daemon);
    const calls = Array.from({ length: 30 }, (_, index) => () => submit({ ref: `r${index}` }));

    const answers = await gather(ticket.id, () => submit({ ref: 'first' }), calls);

    expect(answers.map(({ status }) => status)).toEqual(calls.map(() => 'fulfilled'));
    expect(await refsOf(ticket.id)).toEqual(['first', ...calls.map((_, index) => `r${index}`)]);
    expect(await countTransactions(ticket.id)).toBe(2);
  });

  test('see the references of those before them', async () => {
    const { ticket, submit } = await setUpBench(daemon);

    const answers = await gather(ticket.id, () => submit({ ref: 'first' }), [
      () => submit({ ref: 'a' }),
      () => submit({ ref: 'b', dependsOn: ['a', 'first'] }),
      () => submit({ ref: 'c', input: { from: '{{ tasks.b.output }}' } }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(await countTransactions(ticket.id)).toBe(2);
    const { tasks } = await daemon.client.task.list({ ticketId: ticket.id });
    const idOf = (ref: string) => tasks.find((task) => task.ref === ref)!.id;
    expect(tasks.map(({ ref, state, dependsOn }) => [ref, state, dependsOn])).toEqual([
      ['first', 'ready', []],
      ['a', 'ready', []],
      ['b', 'blocked', [idOf('first'), idOf('a')].toSorted()],
      ['c', 'blocked', [idOf('b')]],
    ]);
  });

  test('are refused one by one: nothing of the refused is stored, and its key may be used again', async () => {
    const { ticket, type, submit } = await setUpBench(daemon);
    const keyed =
      (key: string, ref: string, dependsOn: string[] = []) =>
      () =>
        daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type, ref, dependsOn }], idempotencyKey: key });
    const [good, bad] = [crypto.randomUUID(), crypto.randomUUID()];

    const answers = await gather(ticket.id, () => submit({ ref: 'first' }), [
      keyed(good, 'good'),
      keyed(bad, 'bad', ['nobody']),
      () => daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type, ref: 'good' }] }),
      () => daemon.client.task.submit({ ticketId: crypto.randomUUID(), tasks: [{ type }] }),
      () => daemon.client.task.submit({ ticketId: ticket.id, phase: 'DESIGN', tasks: [{ type }] }),
      keyed(crypto.randomUUID(), 'better'),
    ]);
    const kinds = answers.map((answer) => (answer.status === 'fulfilled' ? 'accepted' : (answer.reason as { kind: string }).kind));

    expect(kinds).toEqual(['accepted', 'dependency_unknown', 'reference_duplicate', 'ticket_not_found', 'phase_closed', 'accepted']);
    expect(await refsOf(ticket.id)).toEqual(['first', 'good', 'better']);
    expect(await outcomeOf(keyed(bad, 'bad')())).toBe('accepted');
  });

  test('with one key are one: the same answer and one effect, or a conflict', async () => {
    const { ticket, type, submit } = await setUpBench(daemon);
    const key = crypto.randomUUID();
    const send = (ref: string) => () => daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type, ref }], idempotencyKey: key });

    const answers = await gather(ticket.id, () => submit({ ref: 'first' }), [send('a'), send('a'), send('b')]);
    const later = await send('a')();

    const [one, two, three] = answers;
    expect(one).toMatchObject({ status: 'fulfilled', value: later });
    expect(two).toEqual(one);
    expect(three).toMatchObject({ status: 'rejected', reason: { kind: 'idempotency_conflict' } });
    expect(await refsOf(ticket.id)).toEqual(['first', 'a']);
  });
});

test('a claim that passed over a task because a submission held it is told when it is free', async () => {
  // Nobody looks by himself.
  await using deaf = await startDaemon({ store: 'postgresql', config: { pollMs: 600_000, sweepMs: 600_000 } });
  const { agent, submit } = await setUpBench(deaf);
  const [taskId] = await submit({ ref: 'a' });
  const [held, looking] = [new Client(deaf.databaseUrl), new Client(deaf.databaseUrl)];
  await Promise.all([held.connect(), looking.connect()]);
  // The last thing that a transaction takes: the submission stands here, with its tasks in hand.
  await held.query('begin');
  await held.query('select 1 from event_streams for update');

  const submitted = submit({ ref: 'b', dependsOn: ['a'] });
  await eventually(async () => {
    const { rows } = await looking.query('select 1 from tasks where id = $1 for update skip locked', [taskId]);
    expect(rows).toEqual([]);
  });
  const claimed = agent.claim({ waitMs: 30_000 });
  await eventually(async () => expect((await fetchFigures(deaf)).get('baton_claims_parked')).toBe(1));
  await held.query('commit');
  await Promise.all([held.end(), looking.end()]);

  await submitted;
  expect((await claimed).map(({ taskId }) => taskId)).toEqual([taskId]);
});

test('two coordinators that are given one reference at once take it once', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { ticket, type } = await setUpBench(daemon);
    const send = ({ client }: Daemon) => client.task.submit({ ticketId: ticket.id, tasks: [{ type, ref: 'once' }] });

    const outcomes = await Promise.all([daemon, other, daemon, other].map((each) => outcomeOf(send(each))));

    expect(outcomes.toSorted()).toEqual(['accepted', 'reference_duplicate', 'reference_duplicate', 'reference_duplicate']);
    expect(await refsOf(ticket.id)).toEqual(['once']);
  }
});

test('a task whose dependency fails while it is submitted is skipped, never left waiting', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { ticket, type, agent, submit } = await setUpBench(daemon);
    await submit({ ref: 'a', maxAttempts: 1 });
    const claim = await agent.claimOne();

    const [, { tasks }] = await Promise.all([
      agent.fail(claim),
      other.client.task.submit({
        ticketId: ticket.id,
        tasks: [
          { type, ref: 'b', dependsOn: ['a'] },
          { type, dependsOn: ['b'] },
        ],
      }),
    ]);

    for (const { id } of tasks) expect((await daemon.client.task.get({ taskId: id })).state).toBe('skipped');
  }
});

test('parents with common dependents that fail at once make no deadlock, and every dependent is skipped once', async () => {
  const before = await countDeadlocks();
  for (let round = 0; round < 10; round += 1) {
    const { ticket, type, agent, submit } = await setUpBench(daemon);
    const second = await other.connectAgent({ capabilities: [type] });
    const parents = ['p', 'q'].map((ref) => ({ ref, maxAttempts: 1 }));
    const dependents = Array.from({ length: 20 }, (_, index) => ({
      ref: `d${index}`,
      dependsOn: index % 2 === 0 ? ['p', 'q'] : [`d${index - 1}`, 'q'],
    }));
    // In an order that is not that of the graph.
    await submit(...dependents.toReversed(), ...parents);
    const [one, two] = [await agent.claimOne(), await second.claimOne()];

    await Promise.all([agent.fail(one), second.fail(two)]);

    const { tasks } = await daemon.client.task.list({ ticketId: ticket.id, limit: 100 });
    expect(tasks.filter(({ state }) => state === 'skipped')).toHaveLength(20);
    const { events } = await daemon.client.event.list({ ticketId: ticket.id, limit: 1_000 });
    expect(events.filter(({ name }) => name === 'task.skipped')).toHaveLength(20);
  }
  expect(await countDeadlocks()).toBe(before);
});

async function countDeadlocks(): Promise<number> {
  await observer.query('select pg_stat_clear_snapshot()');
  const { rows } = await observer.query<{ n: string }>('select deadlocks as n from pg_stat_database where datname = current_database()');
  return Number(rows[0]?.n);
}
