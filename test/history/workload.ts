import type { Claim, GrantedLock, Result } from '@baton/protocol';
import type { HistoryLog } from './history.ts';
import { createLoggedClient, type LoggedClient, pause, type Places, type SessionOfClient } from './logged-calls.ts';

/** What one process does: some agents, and somebody who gives them work. */
export interface WorkloadPlan extends Places {
  readonly name: string;
  readonly ticketId: string;
  /** The prefix of the types and keys that belong to this history. */
  readonly mark: string;
  readonly agents: number;
  /** How many graphs of tasks are submitted at most. */
  readonly graphsMax: number;
}

/** How long the clients go on. */
export interface WorkloadPace {
  /** Nothing new is submitted any more, and what there is comes to its end. */
  isQuiet: boolean;
  isOver: boolean;
}

/** An attempt that is not ended by its agent ends by itself after so long. */
const timeoutMs = 1_500;
const keyNames = ['a', 'b', 'c'] as const;

/** Settles when the clients have gone; `submitted` when there is nothing more to submit. */
export interface Workload {
  readonly submitted: Promise<void>;
  readonly ended: Promise<void>;
}

export function startWorkload(plan: WorkloadPlan, log: HistoryLog, pace: WorkloadPace): Workload {
  const client = (name: string) => createLoggedClient(log, plan, `${plan.name}-${name}`);
  const submitted = submitGraphs(plan, client('submitter'), pace);
  const agents = Array.from({ length: plan.agents }, (_, index) => beAgent(plan, client(`agent-${index}`), pace));
  return { submitted, ended: Promise.all([submitted, ...agents]).then(() => {}) };
}

const chance = (probability: number) => Math.random() < probability;
const any = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;

/** Submits graphs of up to six tasks, cancels some of them, and gives some of the ended ones another life. */
async function submitGraphs({ ticketId, mark, name, graphsMax }: WorkloadPlan, client: LoggedClient, pace: WorkloadPace): Promise<void> {
  const known: string[] = [];
  for (let graph = 0; graph < graphsMax && !pace.isQuiet; graph += 1) {
    const size = 1 + Math.floor(Math.random() * 6);
    const prefix = `${name}-${process.pid}-${graph}`;
    const tasks = Array.from({ length: size }, (_, index) => ({
      type: `${mark}-work`,
      ref: `${prefix}/${index}`,
      timeoutMs,
      maxAttempts: 4,
      input: { mark: `${prefix}/${index}` },
      dependsOn: Array.from({ length: index }, (_, place) => place)
        .filter(() => chance(0.5))
        .map((place) => `${prefix}/${place}`),
      onDependencyFailure: chance(0.3) ? 'run' : 'skip',
      locks: chance(0.2) ? [{ key: `db:${mark}-${any(keyNames)}`, mode: chance(0.5) ? 'shared' : 'exclusive' }] : [],
    }));
    const submitted = await client.callUntilKnown('task/submit', { ticketId, tasks, idempotencyKey: crypto.randomUUID() });
    if (submitted.outcome === 'ok') known.push(...(submitted.result as Result<'task/submit'>).tasks.map(({ id }) => id));
    if (chance(0.3) && known.length > 0) await client.call('task/cancel', { taskId: any(known.slice(-20)) });
    if (chance(0.2) && known.length > 0)
      await client.call('task/retry', { taskId: any(known.slice(-40)), idempotencyKey: crypto.randomUUID() });
    // As many as are worked off, and not all of them in the first moment.
    await pause(10);
  }
}

/** Works, takes locks, and does with both what agents do: well, badly, too late or not at all. */
async function beAgent(plan: WorkloadPlan, client: LoggedClient, pace: WorkloadPace): Promise<void> {
  let session = await register(plan, client, pace);
  const fences: GrantedLock[] = [];
  while (!pace.isOver && session !== undefined) {
    const outcome = chance(0.25) ? await takeLocks(plan, client, session, fences) : await takeWork(client, session, plan, pace);
    // After an answer that was lost it may begin anew: the session that it had is fenced with all that it held.
    if (outcome === 'unreached') await pause(20);
    const mustReturn = outcome === 'session_unknown' || (outcome === 'unknown' && chance(0.5));
    if (mustReturn) session = await register(plan, client, pace);
  }
}

async function register({ mark }: WorkloadPlan, client: LoggedClient, pace: WorkloadPace): Promise<SessionOfClient | undefined> {
  while (!pace.isOver) {
    const registered = await client.call('agent/register', { name: client.name, capabilities: [`${mark}-work`], capacity: 3 });
    if (registered.outcome === 'ok') {
      const { sessionId, resumeToken } = registered.result as Result<'agent/register'>;
      return { sessionId, resumeToken };
    }
    await pause(20);
  }
  return undefined;
}

type Ended = 'done' | 'unknown' | 'unreached' | 'session_unknown';

const toEnded = ({ outcome, kind }: { readonly outcome: string; readonly kind?: string }): Ended =>
  outcome === 'unknown' ? 'unknown' : kind === 'session_unknown' || kind === 'unreached' ? kind : 'done';

async function takeWork(client: LoggedClient, session: SessionOfClient, plan: WorkloadPlan, pace: WorkloadPace): Promise<Ended> {
  const claimed = await client.call('task/claim', { max: 2, waitMs: 50, idempotencyKey: crypto.randomUUID() }, session);
  if (claimed.outcome !== 'ok') return toEnded(claimed);
  for (const claim of (claimed.result as Result<'task/claim'>).claims) {
    if (chance(0.5)) await pause(Math.floor(Math.random() * 10));
    if (chance(0.3)) await client.call('agent/heartbeat', {}, session);
    const ended = await endWork(client, session, claim, { plan, pace });
    if (ended !== 'done') return ended;
  }
  return 'done';
}

async function endWork(
  client: LoggedClient,
  session: SessionOfClient,
  { taskId, attempt }: Claim,
  { plan, pace }: { readonly plan: WorkloadPlan; readonly pace: WorkloadPace },
): Promise<Ended> {
  const fence = { taskId, attempt };
  const result = { ...fence, output: { author: `${client.name} ${session.sessionId} ${attempt}` } };
  const way = Math.random();
  if (way < 0.75) return toEnded(await client.callUntilKnown('task/complete', result, session));
  if (way < 0.85) return toEnded(await client.callUntilKnown('task/fail', { ...fence, error: { message: 'It went wrong.' } }, session));
  if (way < 0.9) return toEnded(await client.callUntilKnown('task/release', fence, session));
  // Leaves it until its time is over, and comes too late.
  if (way < 0.92 && !pace.isQuiet) {
    await pause(timeoutMs + 200);
    return toEnded(await client.call('task/complete', result, session));
  }
  // A newer incarnation of the agent has taken its place, and the older does not know it.
  const newer = await register(plan, client, pace);
  if (newer !== undefined) await client.call('task/claim', { max: 1, idempotencyKey: crypto.randomUUID() }, newer);
  await client.call('task/complete', result, session);
  return 'session_unknown';
}

async function takeLocks({ mark }: WorkloadPlan, client: LoggedClient, session: SessionOfClient, fences: GrantedLock[]): Promise<Ended> {
  const names = keyNames.filter(() => chance(0.5));
  const keys = (names.length === 0 ? [any(keyNames)] : names).map((name) => ({
    key: `db:${mark}-${name}`,
    mode: chance(0.3) ? 'shared' : 'exclusive',
  }));
  const ttlMs = chance(0.2) ? 100 : 1_000;
  const acquired = await client.call(
    'lock/acquire',
    { keys, ttlMs, waitMs: chance(0.5) ? 200 : 0, idempotencyKey: crypto.randomUUID() },
    session,
  );
  // Somebody who came too late shows the fence that he once had.
  const old = fences.length > 0 && chance(0.5) ? any(fences) : undefined;
  if (old !== undefined) await client.call('lock/check', { key: old.key, fence: old.fence }, session);
  if (acquired.outcome !== 'ok') return toEnded(acquired);

  const { locks } = acquired.result as Result<'lock/acquire'>;
  fences.push(...locks);
  fences.splice(0, fences.length - 20);
  await client.call('lock/check', { key: locks[0]!.key, fence: locks[0]!.fence }, session);
  if (chance(0.5)) await pause(Math.floor(Math.random() * 20));
  const beaten = await client.call('agent/heartbeat', {}, session);
  if (beaten.kind === 'session_unknown') return 'session_unknown';
  // One in ten forgets to give it back.
  return chance(0.1) ? 'done' : toEnded(await client.call('lock/release', { keys: locks.map(({ key }) => key) }, session));
}
