import { type DagStatus, type GraphTask, taskMachine, type TaskState } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { analyseGraph } from './dag-rules.ts';
import { type GraphRow, listGraph } from './scheduler.store.ts';

/** Twice what one submission may bring. */
const tasksMax = 20_000;

export interface DagQuery {
  readonly projectId: string;
  readonly ticketId: string;
  readonly phase?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** How far the graph of a ticket is: told of all its tasks, with a page of them one by one. */
export async function readDagStatus(em: EntityManager, { projectId, ticketId, phase, after, limit }: DagQuery): Promise<DagStatus> {
  await getTicket(em, projectId, ticketId);
  const rows = await listGraph(em, { projectId, ticketId, phase, tasksMax });
  const { levelOf, levels, criticalPath } = analyseGraph(rows);
  const rest = after === undefined ? rows : rows.filter(({ taskId }) => taskId > after.toLowerCase());
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    counts: countStates(rows),
    levels: levels.map((level) => [...level]),
    criticalPath: {
      taskIds: [...criticalPath.taskIds],
      ...(criticalPath.remainingMs !== undefined && { remainingMs: criticalPath.remainingMs }),
    },
    tasks: page.map((row) => toGraphTask(row, levelOf.get(row.taskId) ?? 0)),
    ...(rest.length > limit && last !== undefined && { next: last.taskId }),
  };
}

function countStates(rows: readonly GraphRow[]): DagStatus['counts'] {
  const counts = Object.fromEntries(taskMachine.states.map((state) => [state, 0])) as Record<TaskState, number>;
  for (const { state } of rows) counts[state] += 1;
  return { total: rows.length, pending: counts.blocked + counts.ready, ...counts };
}

const toGraphTask = (
  { taskId, ref, title, state, dependsOn, isReady, pendingDependencies, waitMs }: GraphRow,
  level: number,
): GraphTask => ({
  taskId,
  title,
  state,
  dependsOn,
  isReady,
  pendingDependencies,
  level,
  ...((state === 'ready' || state === 'blocked') && waitMs > 0 && { runInMs: Math.round(waitMs) }),
  ...(ref !== null && { ref }),
});
