import { Migration } from '@mikro-orm/migrations';

/** The first schema. Never edited after release: a change is the next file. */
export class First extends Migration {
  override name = '0001-first';

  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table projects (
    id uuid primary key,
    name text not null unique,
    created_at timestamptz not null default clock_timestamp()
  )`,

  // Apart from the project, because every transaction that records an event writes it: last, so that numbers follow commits.
  `create table event_streams (
    project_id uuid primary key references projects,
    last_seq bigint not null default 0
  )`,
  `create table events (
    project_id uuid not null references projects,
    seq bigint not null,
    name text not null,
    ticket_id uuid,
    data jsonb not null,
    at timestamptz not null default clock_timestamp(),
    primary key (project_id, seq)
  )`,
  `create index events_by_ticket on events (ticket_id, seq) where ticket_id is not null`,
  // What has happened to the items of a ticket: asked for by every pack.
  `create index events_of_context on events (ticket_id, seq)
    where name in ('context.noted', 'context.recorded', 'context.superseded', 'context.pinned')`,

  `create table tokens (
    id text primary key,
    project_id uuid not null references projects,
    name text not null,
    role text not null,
    secret_hash text not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz
  )`,
  `create index tokens_by_name on tokens (project_id, name)`,

  `create table idempotency_keys (
    project_id uuid not null references projects,
    token_id text not null,
    key text not null,
    method text not null,
    params_hash text not null,
    result jsonb,
    created_at timestamptz not null default clock_timestamp(),
    primary key (project_id, token_id, key)
  )`,
  `create index idempotency_keys_by_age on idempotency_keys (created_at)`,
  // Most are read never and none for long: compressing a large one takes as long as all else that is done for it.
  `alter table idempotency_keys alter column result set storage external`,

  `create table workflows (
    id uuid primary key,
    project_id uuid not null references projects,
    name text not null,
    version int not null,
    built_in boolean not null default false,
    definition jsonb not null,
    digest text not null,
    created_at timestamptz not null default clock_timestamp(),
    unique (project_id, name, version)
  )`,

  `create table tickets (
    id uuid primary key,
    project_id uuid not null references projects,
    title text not null,
    description text,
    priority text not null,
    workflow_id uuid not null references workflows,
    phase text not null,
    previous_phase text,
    -- The phase a blocked ticket was blocked in: it may return there.
    blocked_in text,
    blocked_reason text,
    -- Grows with every change, so that who changes it can say what he has seen.
    version int not null default 1,
    visit_id uuid not null,
    visit_number int not null,
    state text not null,
    -- The workflow moves the ticket out of this phase by itself.
    automatic boolean not null,
    metadata jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp()
  )`,
  `create index tickets_by_project on tickets (project_id, id)`,
  // What a list may be narrowed to, newest first.
  `create index tickets_by_workflow on tickets (project_id, workflow_id, id)`,
  `create index tickets_by_phase on tickets (project_id, phase, id)`,
  `create index tickets_by_state on tickets (project_id, state, id)`,
  `create index tickets_by_priority on tickets (project_id, priority, id)`,

  `create table phase_visits (
    id uuid primary key,
    ticket_id uuid not null references tickets,
    number int not null,
    phase text not null,
    from_phase text,
    kind text,
    moved_by text not null,
    reason text,
    artifacts jsonb not null,
    forced boolean not null default false,
    -- How often the gate has refused in this visit, which is also the round of the tasks made for it.
    refusals int not null default 0,
    -- At most so many of its tasks are open: raised by all that are added, corrected when it comes near the limit.
    open_tasks_bound int not null default 0,
    entered_at timestamptz not null default clock_timestamp(),
    left_at timestamptz,
    -- When the workflow was last told of something that it has not looked at: something was added to the visit, or has ended.
    told_at timestamptz,
    -- When it looks at the ticket again that it had nowhere to move to, should it be told of nothing.
    look_again_at timestamptz,
    -- Which judgement of the gate is under way, and until when that may be believed of a coordinator that says nothing more.
    judging_by uuid,
    judging_until timestamptz,
    unique (ticket_id, number)
  )`,
  `create index phase_visits_told on phase_visits (told_at) where told_at is not null`,
  `create index phase_visits_due on phase_visits (look_again_at) where look_again_at is not null`,

  `create table agents (
    id uuid primary key,
    project_id uuid not null references projects,
    name text not null,
    type text not null default 'worker',
    -- Where it mostly works, for people and for search.
    phase text,
    -- As offered: a name, or a name with the version that it has.
    capabilities text[] not null,
    -- The names alone, which an index can look up.
    capability_names text[] not null default '{}',
    capacity int not null,
    tags text[] not null,
    metadata jsonb not null,
    -- What somebody has decided about it; how it is follows from its session and its attempts.
    state text not null,
    state_reason text,
    -- It takes work if it may; it says so itself.
    available boolean not null default true,
    epoch int not null,
    created_at timestamptz not null default clock_timestamp(),
    unique (project_id, name)
  )`,
  `create index agents_by_capability on agents using gin (capability_names)`,
  // What agents have ever offered with a version, each once, so that a range is compared with these and not with every agent.
  `create table versioned_offers (
    project_id uuid not null references projects,
    name text not null,
    offer text not null,
    primary key (project_id, name, offer)
  )`,
  `create table sessions (
    id uuid primary key,
    project_id uuid not null references projects,
    agent_id uuid not null references agents,
    epoch int not null,
    -- Under which it was registered: whose work is done in it.
    token_id text not null references tokens,
    resume_hash text not null unique,
    lease_until timestamptz not null,
    -- The same as the next, to the microsecond, until something has been heard of it.
    last_seen_at timestamptz not null default statement_timestamp(),
    started_at timestamptz not null default statement_timestamp(),
    -- How late the timers of its process are, as its beats tell.
    event_loop_lag_ms double precision,
    ended_at timestamptz,
    end_reason text
  )`,
  `create unique index sessions_living on sessions (agent_id) where ended_at is null`,
  `create index sessions_by_lease on sessions (lease_until) where ended_at is null`,

  // One row: when sessions were last looked after, by whichever coordinator. What is missing since nobody could beat.
  `create table last_sweep (
    id boolean primary key default true check (id),
    at timestamptz not null
  )`,

  // A task refers to the set of capabilities it needs, so that a claim looks only into sets that the agent covers.
  `create table capability_sets (
    id int generated always as identity primary key,
    project_id uuid not null references projects,
    -- As needed: a name, or a name with a range of versions.
    capabilities text[] not null,
    -- The names alone, for the first and cheap half of the question who covers it.
    capability_names text[] not null default '{}',
    -- Of the capabilities: a large set is more than an index takes.
    digest text not null,
    unique (project_id, digest)
  )`,
  `create index capability_sets_by_name on capability_sets using gin (capability_names)`,
  `create table tasks (
    id uuid primary key,
    project_id uuid not null references projects,
    ticket_id uuid not null references tickets,
    visit_id uuid not null references phase_visits,
    phase text not null,
    ref text,
    type text not null,
    title text not null,
    input jsonb not null,
    state text not null,
    priority text not null,
    -- created_at less a bonus for the priority: ageing without rewriting rows.
    rank timestamptz not null,
    capability_set_id int not null references capability_sets,
    locks jsonb not null,
    pending_dependencies int not null,
    on_dependency_failure text not null,
    attempt int not null default 0,
    -- Attempts that count against max_attempts: one that was given back unused does not.
    attempts_used int not null default 0,
    max_attempts int not null,
    timeout_ms int not null,
    run_at timestamptz not null default clock_timestamp(),
    -- Before its time: out of the scan until a round of claims finds that the time has come.
    delayed boolean not null default false,
    parent_task_id uuid references tasks,
    depth int not null default 0,
    -- How many tasks its attempts have submitted.
    children int not null default 0,
    -- Kept for this agent until then.
    reserved_for uuid references agents,
    reserved_until timestamptz,
    session_id uuid references sessions,
    agent_id uuid references agents,
    deadline_at timestamptz,
    -- Ready, but this lock is taken: out of the scan until the key is released.
    waiting_key text,
    waiting_since timestamptz,
    progress jsonb,
    output jsonb,
    summary text,
    error jsonb,
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
  )`,
  `create index tasks_ready on tasks (project_id, capability_set_id, rank, id)
    where state = 'ready' and waiting_key is null and not delayed and reserved_for is null`,
  // What is out of the scan for a time, by when the time is over.
  `create index tasks_put_off on tasks (project_id, greatest(run_at, reserved_until)) where state = 'ready' and (delayed or reserved_for is not null)`,
  `create index tasks_reserved on tasks (reserved_for, rank, id) where state = 'ready' and reserved_for is not null`,
  `create index tasks_waiting on tasks (project_id, waiting_key, rank, id) where state = 'ready' and waiting_key is not null`,
  // For a member of a range, which is free again under a name of its own.
  `create index tasks_waiting_range on tasks (project_id, waiting_key) where state = 'ready' and waiting_key ~ ':[0-9]+-[0-9]+$'`,
  `create index tasks_open on tasks (visit_id) where state in ('blocked', 'ready', 'running')`,
  `create index tasks_running on tasks (session_id) where state = 'running'`,
  `create index tasks_by_deadline on tasks (deadline_at) where state = 'running'`,
  `create index tasks_by_ticket on tasks (ticket_id, id)`,
  `create index tasks_by_visit on tasks (visit_id, ref)`,
  `create index tasks_by_project on tasks (project_id, id)`,
  `create index tasks_by_parent on tasks (parent_task_id) where parent_task_id is not null`,
  `create index tasks_cancelled on tasks (project_id, id) where state = 'cancelled'`,
  `create index tasks_dead on tasks (project_id, finished_at, id) where state = 'failed'`,
  `create index tasks_dead_by_code on tasks (project_id, (error->>'code'), finished_at, id) where state = 'failed'`,

  `create table task_dependencies (
    task_id uuid not null references tasks,
    depends_on_id uuid not null references tasks,
    -- Counted off: the dependent no longer waits for it. Never counted twice.
    settled boolean not null default false,
    primary key (task_id, depends_on_id)
  )`,
  `create index task_dependents on task_dependencies (depends_on_id)`,
  // Whoever did the one may not do the other.
  `create table task_exclusions (
    task_id uuid not null references tasks,
    author_task_id uuid not null references tasks,
    primary key (task_id, author_task_id)
  )`,

  `create table attempts (
    task_id uuid not null references tasks,
    number int not null,
    session_id uuid not null references sessions,
    agent_id uuid not null references agents,
    -- The idempotency key of the claim, so that a claim sent twice answers the same.
    claim_key text,
    -- A claim sent again was answered with it: whoever sent it has it, whatever became of the first call.
    repeated boolean not null default false,
    locks jsonb not null,
    lock_wait_ms double precision not null default 0,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    error jsonb,
    -- The idempotency key of the call that ended it, and what it was used for.
    end_key jsonb,
    primary key (task_id, number)
  )`,
  // What an attempt took on the way, beside what its task declares; kept after it was given back, for who asks what was held.
  `create table attempt_locks (
    task_id uuid not null references tasks,
    attempt int not null,
    key text not null,
    mode text not null,
    fence bigint not null,
    primary key (task_id, attempt, key, fence)
  )`,
  `create index attempts_by_claim on attempts (session_id, claim_key) where claim_key is not null`,

  // One row a key, for ever: its fence never goes back, and its row lock decides every grant.
  `create table lock_keys (
    project_id uuid not null references projects,
    key text not null,
    -- The highest that was ever granted.
    fence bigint not null default 0,
    -- How many may hold it exclusively at a time.
    places int not null default 1,
    primary key (project_id, key)
  )`,
  `create index lock_keys_counting on lock_keys (project_id, key) where places > 1`,
  // Of all files at once, since patterns overlap: whoever holds a path after another has the higher fence, under whatever key.
  `create sequence lock_fences`,
  `create table lock_grants (
    id uuid primary key,
    project_id uuid not null references projects,
    key text not null,
    -- A pattern, which other keys may meet.
    is_wide boolean not null,
    mode text not null,
    places int not null,
    -- The range of which the key was allocated.
    requested text,
    -- The request that waited and was given it, while its holder has it by nothing else.
    request_id uuid,
    fence bigint not null,
    session_id uuid not null references sessions,
    agent_id uuid not null references agents,
    task_id uuid references tasks,
    attempt int,
    granted_at timestamptz not null default clock_timestamp(),
    -- Null where the lock lives as long as the attempt.
    expires_at timestamptz
  )`,
  // By bytes, so that it serves prefixes too.
  `create index lock_grants_by_key on lock_grants (project_id, key text_pattern_ops)`,
  `create index lock_grants_wide on lock_grants (project_id) where is_wide`,
  `create index lock_grants_by_session on lock_grants (session_id)`,
  `create index lock_grants_by_task on lock_grants (task_id) where task_id is not null`,
  `create index lock_grants_by_expiry on lock_grants (expires_at) where expires_at is not null`,
  `create table lock_requests (
    id uuid primary key,
    project_id uuid not null references projects,
    session_id uuid not null references sessions,
    agent_id uuid not null references agents,
    task_id uuid references tasks,
    attempt int,
    ttl_ms int not null,
    requested_at timestamptz not null default clock_timestamp(),
    wait_until timestamptz not null,
    -- Set by the transaction that hands the locks over; the waiting call picks the answer up and deletes the row.
    granted jsonb
  )`,
  `create index lock_requests_by_session on lock_requests (session_id)`,
  `create index lock_requests_by_task on lock_requests (task_id) where task_id is not null`,
  `create index lock_requests_by_wait on lock_requests (wait_until)`,
  `create table lock_waits (
    project_id uuid not null,
    key text not null,
    request_id uuid not null references lock_requests on delete cascade,
    -- A pattern or a range, which other keys may meet.
    is_wide boolean not null,
    mode text not null,
    places int not null,
    primary key (project_id, key, request_id)
  )`,
  `create index lock_waits_by_request on lock_waits (request_id)`,
  `create index lock_waits_wide on lock_waits (project_id) where is_wide`,
  // Keys that were freed by a transaction which could not hand them over itself. The lock sweeper does, and deletes the row.
  `create table lock_due (
    id bigint generated always as identity primary key,
    project_id uuid not null references projects,
    key text not null
  )`,

  `create table artifacts (
    id uuid primary key,
    project_id uuid not null references projects,
    ticket_id uuid not null references tickets,
    visit_id uuid not null references phase_visits,
    phase text not null,
    visit_number int not null,
    type text not null,
    name text not null,
    version int not null,
    media_type text not null,
    sha256 text not null,
    size_bytes bigint not null,
    content jsonb,
    uri text,
    task_id uuid references tasks,
    attempt int,
    author text not null,
    -- Whose it is: anybody may call himself as he likes, but not come with another's token.
    token_id text not null references tokens,
    created_at timestamptz not null default clock_timestamp(),
    unique (visit_id, type, name, version)
  )`,
  `create index artifacts_by_ticket on artifacts (ticket_id, id)`,

  `create table gate_results (
    id uuid primary key,
    ticket_id uuid not null references tickets,
    visit_id uuid not null references phase_visits,
    phase text not null,
    visit_number int not null,
    outcome text not null,
    digest text not null,
    -- A validator that runs programs was asked: what it looked at is bound by no digest, and the result grows old.
    looks_outside boolean not null,
    -- The versions of artifacts, by their ids.
    judged uuid[] not null,
    reasons jsonb not null,
    verdicts jsonb not null,
    duration_ms double precision not null,
    created_at timestamptz not null default clock_timestamp(),
    -- Of the evidence and what else validators were shown, without the approvals.
    shown_digest text,
    -- The result whose verdicts were taken over: validators were not asked again.
    verdicts_of uuid references gate_results
  )`,
  `create index gate_results_by_visit on gate_results (visit_id, created_at, id)`,
  `create index gate_results_by_ticket on gate_results (ticket_id, created_at, id)`,

  // What a gate waits for: rows, so that days may pass and coordinators may change.
  `create table approvals (
    id uuid primary key,
    project_id uuid not null references projects,
    ticket_id uuid not null references tickets,
    visit_id uuid not null references phase_visits,
    phase text not null,
    visit_number int not null,
    name text not null,
    rule jsonb not null,
    -- Of the evidence that is to be approved; with other evidence it is asked for anew.
    digest text not null,
    -- waiting, approved, refused or cancelled; that it has expired follows from the clock.
    state text not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz
  )`,
  `create index approvals_by_visit on approvals (visit_id, id)`,
  `create index approvals_by_ticket on approvals (ticket_id, id)`,
  `create index approvals_by_state on approvals (project_id, state, id)`,
  // One that is asked for is asked for once.
  `create unique index approvals_once on approvals (visit_id, name) where state = 'waiting'`,
  `create table approval_decisions (
    approval_id uuid not null references approvals,
    -- The name of the token, which has one voice, whatever its agents call themselves and however often it is replaced.
    decided_by text not null,
    token_id text not null references tokens,
    agent_name text,
    role text not null,
    decision text not null,
    comment text,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (approval_id, decided_by)
  )`,

  `create table context_items (
    id uuid primary key,
    project_id uuid not null references projects,
    ticket_id uuid not null references tickets,
    visit_id uuid not null references phase_visits,
    phase text not null,
    visit_number int not null,
    -- Counts the items of the ticket; the citation is made of it.
    number int not null,
    kind text not null,
    text text not null,
    rationale text,
    data jsonb,
    refs jsonb not null,
    pinned boolean not null,
    author text not null,
    -- A token that may operate has said, pinned or let it go: agents leave it as it is.
    by_operator boolean not null default false,
    task_id uuid references tasks,
    attempt int,
    created_at timestamptz not null default clock_timestamp(),
    -- Whose word it is.
    source text not null,
    -- What a recorded item is about, by a digest of its names: a newer one about the same takes its place.
    topic text,
    superseded_at timestamptz,
    superseded_reason text,
    -- The item that took its place, if one did.
    superseded_by uuid references context_items,
    unique (ticket_id, number)
  )`,
  // The same statement from the same source twice in one visit is one item, unless it was given up in between.
  // The visit stands last: whether a statement holds is also asked of the whole ticket.
  `create unique index context_items_once on context_items (ticket_id, kind, source, md5(text), visit_id) where superseded_at is null`,
  `create index context_items_holding on context_items (ticket_id, number) where superseded_at is null`,
  `create index context_items_pinned on context_items (ticket_id) where superseded_at is null and pinned`,
  // What was given up since an attempt began is looked for when it ends.
  `create index context_items_given_up on context_items (ticket_id, superseded_at) where superseded_at is not null`,
  `create index context_items_by_topic on context_items (ticket_id, phase, topic) where superseded_at is null and topic is not null`,
  // What summarizers wrote, by the digest of all that it was made from.
  `create table context_summaries (
    digest text primary key,
    ticket_id uuid not null references tickets,
    phase text not null,
    -- The summarizer, with the version of its plugin.
    summarizer text not null,
    text text not null,
    citations jsonb not null,
    created_at timestamptz not null default clock_timestamp()
  )`,
  `create index context_summaries_of_phase on context_summaries (ticket_id, phase, created_at)`,
];
