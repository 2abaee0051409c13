import type { Client, NewTaskInput } from '@baton/protocol';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Pair, Site } from '../support/pair.ts';
import { uniqueType } from '../support/work.ts';
import { type ModelAgent, type NewModelTask, pendingOf, type TaskModel } from './task-model.ts';

/** What the commands are made with: a ticket of its own, and agents that nobody else has. */
export interface TaskWorld {
  readonly pair: Pair;
  readonly ticketId: string;
  /** What an agent's session answers to. */
  readonly sessions: Map<string, Client>;
  /** The newest session of each agent, and every earlier one. */
  readonly register: (agent: ModelAgent, site: Site) => Promise<string>;
}

export interface TaskSetup {
  readonly model: TaskModel;
  readonly real: TaskWorld;
}

/** Nothing happens by itself but what the test makes happen: leases and back-offs end when it says so. */
export const quietConfig = { sweepMs: 50, leaseMs: 600_000, heartbeatMs: 200_000 };

let count = 0;

export async function setUpTasks(pair: Pair): Promise<TaskSetup> {
  const { client } = pair.sites[0];
  const ticket = await client.ticket.create({ title: 'What the model says' });
  await client.ticket.transition({ ticketId: ticket.id, to: 'REQUIREMENTS', force: true, reason: 'The test begins there.' });
  const [build, check] = [uniqueType(), uniqueType()];
  const mark = `${process.pid}-${(count += 1)}`;
  const agents: ModelAgent[] = [
    { name: `builder-${mark}`, types: [build], capacity: 2, session: undefined },
    { name: `generalist-${mark}`, types: [build, check], capacity: 3, session: undefined },
    { name: `checker-${mark}`, types: [check], capacity: 1, session: undefined },
  ];
  const sessions = new Map<string, Client>();
  const register = async ({ name, types, capacity }: ModelAgent, site: Site) => {
    const session = await site.client.agent.register({ name, capabilities: [...types], capacity });
    sessions.set(session.sessionId, site.clientOf(session.resumeToken));
    return session.sessionId;
  };
  for (const [index, agent] of agents.entries()) agent.session = await register(agent, pair.sites[index % 2]!);
  return { model: { tasks: [], agents }, real: { pair, ticketId: ticket.id, sessions, register } };
}

/** The types of the model's tasks: what the first agent does, and what the last one does. */
export const typesOf = ({ agents }: TaskModel): readonly [string, string] => [agents[0]!.types[0]!, agents[2]!.types[0]!];

export const refOf = (place: number): string => `task-${place}`;

/** A task as it is submitted, which will be at this place of the model. What it depends on is named by id and by reference in turns. */
export const toNewTask = (
  { type, priority, policy, maxAttempts, dependsOn }: NewModelTask,
  place: number,
  { tasks }: TaskModel,
): NewTaskInput => ({
  type,
  priority,
  maxAttempts,
  ref: refOf(place),
  onDependencyFailure: policy,
  dependsOn: dependsOn.map((on) => (on % 2 === 0 ? (tasks[on]?.id ?? refOf(on)) : refOf(on))),
});

/** Everybody sees what the model says. */
export async function compareTasks({ tasks }: TaskModel, { pair, ticketId }: TaskWorld, site: Site): Promise<void> {
  const shown = tasks.length === 0 ? [] : (await site.client.task.list({ ticketId, limit: 1_000 })).tasks;
  const { rows } = await pair.observer.query<{ id: string; used: number }>(
    'select id, attempts_used as used from tasks where ticket_id = $1 order by id',
    [ticketId],
  );
  const used = new Map(rows.map((row) => [row.id, row.used]));
  expect(
    shown.map(({ ref, state, attempt, pendingDependencies, agentName, id }) => ({
      ref,
      state,
      attempt,
      used: used.get(id),
      pending: state === 'blocked' || state === 'ready' ? pendingDependencies : 'any',
      agent: state === 'running' || state === 'completed' ? agentName : 'any',
    })),
  ).toEqual(
    tasks.map((task) => ({
      ref: refOf(task.place),
      state: task.state,
      attempt: task.attempt,
      used: task.attemptsUsed,
      pending: task.state === 'blocked' || task.state === 'ready' ? pendingOf(task) : 'any',
      agent: task.holder?.agent ?? (task.state === 'completed' ? task.ended.at(-1)!.agent : 'any'),
    })),
  );
}

/** All attempts are kept, with whose they were and how they ended. */
export async function compareAttempts({ tasks }: TaskModel, { pair }: TaskWorld): Promise<void> {
  for (const { id, ended, holder, attempt } of tasks) {
    const { attempts } = await pair.sites[1].client.task.get({ taskId: id });
    expect(attempts.map(({ number, agentName, outcome }) => ({ number, agent: agentName, outcome }))).toEqual([
      ...ended.map(({ number, agent, outcome }) => ({ number, agent, outcome })),
      ...(holder === undefined ? [] : [{ number: attempt, agent: holder.agent, outcome: undefined }]),
    ]);
  }
}

/** What waits for its back-off waits until the test lets time pass. */
export const holdBackoff = ({ pair }: TaskWorld, taskId: string) =>
  pair.observer.query(`update tasks set run_at = clock_timestamp() + interval '1 hour' where id = $1 and state = 'ready'`, [taskId]);

export const endBackoffs = ({ pair, ticketId }: TaskWorld) =>
  pair.observer.query(`update tasks set run_at = clock_timestamp() where ticket_id = $1 and state = 'ready'`, [ticketId]);

/** The attempt has taken longer than its task allows, and the coordinators have seen it. */
export async function passDeadline({ pair }: TaskWorld, taskId: string): Promise<void> {
  await pair.observer.query(`update tasks set deadline_at = clock_timestamp() - interval '1 second' where id = $1 and state = 'running'`, [
    taskId,
  ]);
  await eventually(async () => {
    const { rows } = await pair.observer.query<{ state: string }>('select state from tasks where id = $1', [taskId]);
    expect(rows[0]?.state).not.toBe('running');
  });
}

/** The lease of a session is over. Its own coordinator has heard of it; the other one has not, and ends it. */
export async function passLease({ pair }: Pick<TaskWorld, 'pair'>, sessionId: string): Promise<void> {
  await eventually(async () => {
    const { rows } = await pair.observer.query<{ ended: boolean }>('select ended_at is not null as ended from sessions where id = $1', [
      sessionId,
    ]);
    if (rows[0]?.ended !== true)
      await pair.observer.query(`update sessions set lease_until = clock_timestamp() - interval '1 second' where id = $1`, [sessionId]);
    expect(rows[0]?.ended).toBe(true);
  });
}
