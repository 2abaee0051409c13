import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchAgents } from '../../coordinator/src/agent/agent-search.store.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { explainStatements } from '../support/explain.ts';
import { createTicketIn } from '../support/work.ts';

/** So many that most of them are never looked at closely. */
const agentsCount = 3_000;
const capabilities = ['common', ...Array.from({ length: 40 }, (_, index) => `rare-${index}`)];

let daemon: Daemon;
let database: Client;
beforeAll(async () => {
  // The sweeper is to leave those alone that are silent; an hour of silence is allowed.
  daemon = await startDaemon({ store: 'postgresql', config: { sweepMs: 3_600_000, leaseMs: 7_200_000, heartbeatMs: 1_800_000 } });
  database = new Client(daemon.databaseUrl);
  await database.connect();
  await fill();
});
afterAll(async () => {
  await database.end();
  await daemon.stop();
});

interface Member {
  readonly id: string;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly running: number;
  readonly isHealthy: boolean;
  /** Its lease runs and it is available. */
  readonly mayWork: boolean;
}

/** Agents of every kind: with and without sessions, silent ones, busy and idle ones. The seed makes them the same in every run. */
async function fill(): Promise<void> {
  const { id: ticketId } = await createTicketIn(daemon.client, 'REQUIREMENTS');
  await daemon.client.task.submit({ ticketId, tasks: [{ type: 'model-of-all-tasks' }] });
  await database.query(`select setseed(0.25)`);
  await database.query(
    `insert into agents (id, project_id, name, capabilities, capability_names, capacity, tags, metadata, state, epoch)
     select gen_random_uuid(), p.id, 'member-' || i, c.list, c.list, 1 + floor(random() * 7), '{}', '{}', 'active', 1
     from projects p, lateral (
       select i, array_agg(distinct ($2::text[])[1 + floor(power(random(), 2) * 41)::int]) as list
         from generate_series(1, $1) i, generate_series(1, 4) group by i) c`,
    [agentsCount, capabilities],
  );
  await database.query(
    `insert into sessions (id, project_id, agent_id, epoch, token_id, resume_hash, lease_until, last_seen_at)
     select gen_random_uuid(), project_id, id, 1, (select min(id) from tokens), id::text, clock_timestamp() + case when random() < 0.1 then interval '-1 second' else interval '10 hours' end,
       clock_timestamp() - case when random() < 0.2 then interval '5 hours' else interval '0' end
     from agents where random() < 0.9`,
  );
  await database.query(
    `insert into tasks (id, project_id, ticket_id, visit_id, phase, type, title, input, state, priority, rank, capability_set_id, locks, pending_dependencies,
       on_dependency_failure, max_attempts, timeout_ms, session_id, agent_id)
     select gen_random_uuid(), t.project_id, t.ticket_id, t.visit_id, t.phase, t.type, t.title, t.input, 'running', t.priority, t.rank, t.capability_set_id, t.locks, 0,
       t.on_dependency_failure, t.max_attempts, t.timeout_ms, s.id, s.agent_id
     from tasks t, sessions s join agents a on a.id = s.agent_id, generate_series(1, 7) i
     where t.type = 'model-of-all-tasks' and i <= a.capacity and random() < 0.5`,
  );
}

const readCrowd = async () =>
  (
    await database.query<Member>(
      `select a.id, a.capabilities, a.capacity, (select count(*)::int from tasks t where t.session_id = s.id and t.state = 'running') as running,
         coalesce(s.last_seen_at > clock_timestamp() - interval '1 hour', false) as "isHealthy",
         coalesce(a.available and s.lease_until > clock_timestamp(), false) as "mayWork"
       from agents a left join sessions s on s.agent_id = a.id`,
    )
  ).rows;

/** The formula as it is written in the contract, for each agent by itself. */
function rank(crowd: readonly Member[], needed: readonly string[]): readonly { readonly id: string; readonly score: number }[] {
  return crowd
    .filter(({ mayWork }) => mayWork)
    .map(({ id, capabilities, capacity, running, isHealthy }) => {
      const met = needed.filter((need) => capabilities.includes(need)).length;
      const free = capacity - running;
      const coverage = needed.length === 0 ? 1 : met / needed.length;
      const score = coverage + 0.2 * (free / capacity) + (isHealthy ? 0.2 : 0) + 0.05 * Math.min(capacity, 5);
      return { id, coverage, free, score: Math.round(score * 1e6) / 1e6 };
    })
    .filter(({ coverage }) => coverage > 0)
    .toSorted((a, b) => b.score - a.score || b.free - a.free || (a.id < b.id ? -1 : 1))
    .map(({ id, score }) => ({ id, score }));
}

const needs = [[], ['common'], ['common', 'rare-3'], ['rare-30'], ['rare-1', 'rare-2', 'rare-7'], ['nobody-offers-this']];
const limits = [1, 20, 300];

async function findDifferences(): Promise<readonly string[]> {
  const crowd = await readCrowd();
  const differences: string[] = [];
  for (const needed of needs) {
    const expected = rank(crowd, needed);
    for (const limit of limits) {
      const { agents } = await daemon.client.agent.search({ capabilities: [...needed], limit });
      const found = agents.map(({ agent, score }) => ({ id: agent.id, score }));
      if (JSON.stringify(found) !== JSON.stringify(expected.slice(0, limit))) differences.push(`${needed.join(', ')}: the first ${limit}`);
    }
  }
  return differences;
}

test('of 3,000 agents the first are those that the formula puts first', async () => {
  expect(await findDifferences()).toEqual([]);
});

test('so are they where nobody has a free slot, and what each could score settles nothing', async () => {
  await database.query(
    `update agents a set capacity = greatest(1, r.running), available = r.running > 0
     from (select s.agent_id, count(t.id) as running from sessions s left join tasks t on t.session_id = s.id and t.state = 'running' group by 1) r
     where r.agent_id = a.id`,
  );

  expect(await findDifferences()).toEqual([]);
  expect((await daemon.client.agent.bestFit({ capabilities: ['common'] })).best).toBeUndefined();
});

test('the statistics count what the tables hold', async () => {
  const crowd = await readCrowd();
  const working = crowd.filter(({ mayWork }) => mayWork);

  const { total, capacity, free, byHealth } = await daemon.client.agent.statistics({});

  expect({ total, capacity, free }).toEqual({
    total: agentsCount,
    capacity: working.reduce((sum, member) => sum + member.capacity, 0),
    free: working.reduce((sum, member) => sum + member.capacity - member.running, 0),
  });
  expect(byHealth.healthy + byHealth.stale + byHealth.lost).toBe(agentsCount);
});

test('what few agents offer is looked up in the index', async () => {
  await database.query('vacuum analyze agents');
  const { rows } = await database.query<{ id: string }>(`select id from projects where name = 'default'`);
  const liveness = { heartbeatMs: 5_000, silenceMs: () => undefined };
  const search = { capabilities: ['rare-39', 'rare-38'], tags: [], include: [], limit: 20 };

  const plans = await explainStatements(daemon.databaseUrl!, (em) => searchAgents(em, liveness, rows[0]!.id, search));

  expect(plans[0]?.join('\n')).toContain('Index Scan on agents_by_capability');
});

test('which versions are offered is told without a look at the agents', async () => {
  const { rows } = await database.query<{ id: string }>(`select id from projects where name = 'default'`);
  const liveness = { heartbeatMs: 5_000, silenceMs: () => undefined };
  const search = { capabilities: ['common@>=2'], tags: [], include: [], limit: 20 };

  const [versions] = await explainStatements(daemon.databaseUrl!, (em) => searchAgents(em, liveness, rows[0]!.id, search));

  expect(versions?.join('\n')).toContain(' on versioned_offers');
  expect(versions?.join('\n')).not.toContain(' on agents');
});
