import { searchAgents } from '../../coordinator/src/agent/agent-search.store.ts';
import { defineBench } from './harness/bench.ts';
import { nowMs } from './harness/clock.ts';
import { explainStatements } from '../support/explain.ts';
import type { Place } from './harness/place.ts';

/** Skills that agents have, five each, and how many there are in all. */
const skillsEach = 5;
const skillsInAll = 200;
const skillsOfAKind = skillsInAll / skillsEach;

export default defineBench({
  summary: `Agents with ${skillsEach} of ${skillsInAll} capabilities each, searched for one capability and for three, twenty results a call; then once more while each runs one or two tasks.`,
  settings: {
    registered: { about: 'agents', standard: 10_000, smoke: 50 },
    searches: { about: 'calls of agent/search', standard: 1_000, smoke: 10 },
  },
  async run({ sizes, place, latencies }) {
    await fillAgents(place, sizes.registered);
    const searchBaton = (names: number) => (share: number) =>
      time(sizes.searches * share, (call) => place.client.agent.search({ capabilities: wanted(names, call), limit: 20 }));
    const searchByHand = (names: number) => (share: number) =>
      time(sizes.searches * share, (call) => place.baton.query({ ...byHand, values: [wanted(names, call)] }));

    const table = await latencies({ title: 'agent/search over the socket', unit: 'ms' }, [
      { name: 'Baton, one capability', beside: 'SQL by coverage alone, one', measure: searchBaton(1) },
      { name: 'SQL by coverage alone, one', measure: searchByHand(1) },
      { name: 'Baton, three capabilities', beside: 'SQL by coverage alone, three', measure: searchBaton(3) },
      { name: 'SQL by coverage alone, three', measure: searchByHand(3) },
    ]);
    const plan = await explainSearch(place);
    await giveWork(place);
    const busy = await latencies({ title: 'agent/search over the socket, all agents at work', unit: 'ms' }, [
      { name: 'Baton, one capability, all at work', beside: 'SQL by coverage alone, one', measure: searchBaton(1) },
      { name: 'SQL by coverage alone, one', measure: searchByHand(1) },
      { name: 'Baton, three capabilities, all at work', beside: 'SQL by coverage alone, three', measure: searchBaton(3) },
      { name: 'SQL by coverage alone, three', measure: searchByHand(3) },
    ]);
    return { tables: [table, busy], notes: [{ title: 'The plan of a search for three', lines: plan }] };
  },
});

/** Different ones for each call. */
const wanted = (count: number, call: number): string[] =>
  Array.from({ length: count }, (_, index) => `skill-${((call * 7 + index * 11) % skillsOfAKind) + index * skillsOfAKind}`);

const byHand = {
  name: 'search',
  text: `select id, name, capabilities, capacity from agents where capability_names && $1::text[] and state = 'active'
    order by (select count(*) from unnest($1::text[]) n where n = any(capability_names)) desc, capacity desc, id limit 20`,
};

/** Agents with sessions that live for the whole bench, a skill of each kind each. */
async function fillAgents({ baton }: Place, count: number): Promise<void> {
  await baton.query(
    `with new as (
        insert into agents (id, project_id, name, capabilities, capability_names, capacity, tags, metadata, state, epoch)
        select gen_random_uuid(), p.id, 'searched-' || n, s.names, s.names, 1 + n % 8, '{}', '{}', 'active', 1
        from projects p cross join generate_series(1, $1::int) n cross join lateral (
          select array_agg('skill-' || (abs(hashtext(n || '/' || kind)) % $3::int + kind * $3::int)) as names from generate_series(0, $2::int - 1) kind
        ) s
        where p.name = 'default' returning id, project_id
      )
      insert into sessions (id, project_id, agent_id, epoch, token_id, resume_hash, lease_until, last_seen_at)
      select gen_random_uuid(), project_id, id, 1, (select min(id) from tokens), id::text, clock_timestamp() + interval '1 day', clock_timestamp() + interval '1 day' from new`,
    [count, skillsEach, skillsOfAKind],
  );
  await baton.query('vacuum analyze agents, sessions');
}

/** One running task for every agent, two for every other. */
async function giveWork({ client, baton }: Place): Promise<void> {
  const ticket = await client.ticket.create({ title: 'Much to do' });
  await client.ticket.transition({ ticketId: ticket.id, to: 'REQUIREMENTS' });
  const { tasks } = await client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'work' }] });
  await baton.query(
    `insert into tasks (id, project_id, ticket_id, visit_id, phase, type, title, input, state, priority, rank, capability_set_id, locks, pending_dependencies,
        on_dependency_failure, max_attempts, timeout_ms, attempt, session_id, agent_id)
      select gen_random_uuid(), t.project_id, t.ticket_id, t.visit_id, t.phase, t.type, t.title, t.input, 'running', t.priority, t.rank, t.capability_set_id, t.locks, 0,
        t.on_dependency_failure, t.max_attempts, t.timeout_ms, 1, s.id, s.agent_id
      from tasks t cross join sessions s join agents a on a.id = s.agent_id cross join lateral generate_series(0, abs(hashtext(a.name)) % 2) where t.id = $1`,
    [tasks[0]?.id],
  );
  await baton.query('vacuum analyze tasks');
}

async function time(count: number, call: (number: number) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  while (took.length < count) {
    const since = nowMs();
    await call(took.length);
    took.push(nowMs() - since);
  }
  return took;
}

/** The score of an agent is a long expression, which a plan repeats. */
const lineMax = 120;

async function explainSearch({ batonUrl, baton }: Place): Promise<readonly string[]> {
  const { rows } = await baton.query<{ id: string }>(`select id from projects where name = 'default'`);
  const search = { capabilities: wanted(3, 0), tags: [], include: [], limit: 20 };
  const liveness = { heartbeatMs: 5_000, silenceMs: () => undefined };
  const plans = await explainStatements(batonUrl, (em) => searchAgents(em, liveness, rows[0]!.id, search));
  // The second is for the case that the first does not settle the order, which it cannot where it is given no rows.
  return (plans[0] ?? []).map((line) => (line.length > lineMax ? `${line.slice(0, lineMax)} …` : line));
}
