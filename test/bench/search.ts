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
  summary: `Agents with ${skillsEach} of ${skillsInAll} capabilities each, searched for one capability and for three, twenty results a call.`,
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
    return { tables: [table], notes: [{ title: 'The plan of a search for three', lines: await explainSearch(place) }] };
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
      insert into sessions (id, project_id, agent_id, epoch, resume_hash, lease_until, last_seen_at)
      select gen_random_uuid(), project_id, id, 1, id::text, clock_timestamp() + interval '1 day', clock_timestamp() + interval '1 day' from new`,
    [count, skillsEach, skillsOfAKind],
  );
  await baton.query('vacuum analyze agents, sessions');
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
