import type { Attempt, Client, GateResult, RecordedEvent, TaskDetails } from '@baton/protocol';
import { collectPages } from '../list.ts';
import type { RunOutcome, RunRecord } from './run-record.ts';
import { type RunReport, runReport } from './report.ts';

export interface RunEnd {
  readonly plan: string;
  readonly record: RunRecord & { readonly ticketId: string };
  readonly outcome: RunOutcome;
  readonly reason?: string | undefined;
  readonly agents: readonly { readonly name: string; readonly restarts: number }[];
}

/** Gathers what a run came to from what the coordinator tells anyone who may read. */
export async function summarise(client: Client, { plan, record, outcome, reason, agents }: RunEnd): Promise<RunReport> {
  const { ticketId } = record;
  const [ticket, visits, tasks, results, artifacts, events] = await Promise.all([
    client.ticket.get({ ticketId }),
    collectPages(async (page) => {
      const { visits: items, next } = await client.ticket.history({ ...page, ticketId });
      return { items, next };
    }),
    collectTasks(client, ticketId),
    collectPages(async (page) => {
      const { results: items, next } = await client.gate.results({ ...page, ticketId });
      return { items, next };
    }),
    collectPages(async (page) => {
      const { artifacts: items, next } = await client.artifact.list({ ...page, ticketId });
      return { items, next };
    }),
    collectEvents(client, ticketId),
  ]);
  const { title, phase, state } = ticket;
  return runReport.parse({
    version: 1,
    plan,
    runId: record.runId,
    outcome,
    reason,
    startedAt: record.startedAt,
    durationMs: visits.reduce((sum, { durationMs }, index) => (isArrival(index, visits.length, outcome) ? sum : sum + durationMs), 0),
    workspace: record.workspace,
    ticket: { id: ticketId, title, phase, state },
    phases: visits.map(({ to, number, kind, by, reason: why, enteredAt, durationMs }) => ({
      phase: to,
      visit: number,
      kind,
      by,
      reason: why,
      enteredAt,
      durationMs,
    })),
    tasks: toTasks(tasks),
    gates: results.map(toGate),
    artifacts,
    locks: toLocks(tasks, events),
    context: { items: events.filter(({ name }) => name === 'context.noted').length },
    agents: [...agents],
  } satisfies RunReport);
}

/** The stay in the phase where the ticket has arrived, or waits, is no part of the work. */
const isArrival = (index: number, count: number, outcome: RunOutcome): boolean =>
  index === count - 1 && (outcome === 'done' || outcome === 'blocked');

/** So many questions at a time: enough to be quick, few enough for the limit of calls in flight. */
const questionsAtOnce = 16;

async function collectTasks(client: Client, ticketId: string): Promise<TaskDetails[]> {
  const tasks = await collectPages(async (page) => {
    const { tasks: items, next } = await client.task.list({ ...page, ticketId });
    return { items, next };
  });
  const details: TaskDetails[] = [];
  for (let index = 0; index < tasks.length; index += questionsAtOnce) {
    const some = tasks.slice(index, index + questionsAtOnce);
    details.push(...(await Promise.all(some.map(({ id: taskId }) => client.task.get({ taskId })))));
  }
  return details;
}

async function collectEvents(client: Client, ticketId: string): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  for (;;) {
    const { events } = await client.event.list({ ticketId, after: all.at(-1)?.seq ?? 0, limit: 1_000 });
    // The contract tells the shape of `data` by name, and the coordinator has checked it when it was recorded.
    all.push(...(events as unknown as RecordedEvent[]));
    if (events.length < 1_000) return all;
  }
}

const toTasks = (tasks: readonly TaskDetails[]): RunReport['tasks'] => ({
  total: tasks.length,
  byState: Object.fromEntries([...Map.groupBy(tasks, ({ state }) => state)].map(([state, some]) => [state, some.length])),
  attempts: tasks.reduce((sum, { attempts }) => sum + attempts.length, 0),
  retries: tasks.reduce((sum, { attempts }) => sum + Math.max(0, attempts.filter(({ outcome }) => outcome !== 'released').length - 1), 0),
  list: tasks.map(({ id, ref, type, title, phase, visit, state, parentTaskId, summary, error, attempts }) => ({
    id,
    ref,
    type,
    title,
    phase,
    visit,
    state,
    parentTaskId,
    summary,
    error: error?.message,
    attempts: attempts.map(toAttempt),
  })),
});

const toAttempt = ({ number, agentName, outcome, startedAt, finishedAt, lockWaitMs, error }: Attempt) => ({
  number,
  agent: agentName,
  outcome,
  durationMs: finishedAt === undefined ? undefined : Date.parse(finishedAt) - Date.parse(startedAt),
  lockWaitMs,
  error: error?.message,
});

const toGate = ({ phase, visit, outcome, reasons, verdicts }: GateResult): RunReport['gates'][number] => ({
  phase,
  visit,
  outcome,
  reasons: reasons.map(({ code, message }) => ({ code, message })),
  verdicts: verdicts.map(({ validator, requirement, outcome: said, findings }) => ({
    validator,
    requirement,
    outcome: said,
    findings: findings.map(({ message }) => message),
  })),
});

function toLocks(tasks: readonly TaskDetails[], events: readonly RecordedEvent[]): RunReport['locks'] {
  const waits = events.flatMap((event, index) => {
    if (event.name !== 'task.deferred') return [];
    const { taskId, title, key, holders } = event.data;
    const claimed = events.slice(index).find((later) => later.name === 'task.claimed' && later.data.taskId === taskId);
    return [{ taskId, title, key, heldBy: holders, waitedMs: claimed?.name === 'task.claimed' ? claimed.data.lockWaitMs : undefined }];
  });
  return { waits, waitedMs: tasks.flatMap(({ attempts }) => attempts).reduce((sum, { lockWaitMs }) => sum + lockWaitMs, 0) };
}
