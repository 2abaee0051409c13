import type { TaskState } from '@baton/protocol';

export interface GraphNode {
  readonly taskId: string;
  readonly type: string;
  readonly state: TaskState;
  readonly dependsOn: readonly string[];
  /** How long its completing attempt took, or how long its running one has run, in ms. */
  readonly ranMs: number | null;
  /** How long it is until it may run at all, in ms. */
  readonly waitMs: number;
}

export interface Graph {
  /** For each task the length of the longest chain of dependencies behind it. */
  readonly levelOf: ReadonlyMap<string, number>;
  /** The tasks of each level, in the order given. */
  readonly levels: readonly (readonly string[])[];
  readonly criticalPath: CriticalPath;
}

export interface CriticalPath {
  readonly taskIds: readonly string[];
  /** Undefined before anything is completed: nothing is known of how long things take. */
  readonly remainingMs: number | undefined;
}

/** What a graph comes to. Dependencies on tasks that are not among the nodes count as none. Linear in nodes and dependencies. */
export function analyseGraph(nodes: readonly GraphNode[]): Graph {
  const order = inOrderOfDependency(nodes);
  const levelOf = new Map<string, number>();
  for (const { taskId, dependsOn } of order) levelOf.set(taskId, longest(dependsOn, levelOf) + 1);
  const levels: string[][] = [];
  for (const { taskId } of nodes) (levels[levelOf.get(taskId) ?? 0] ??= []).push(taskId);
  return { levelOf, levels, criticalPath: findCriticalPath(order) };
}

const longest = (ids: readonly string[], levelOf: ReadonlyMap<string, number>): number =>
  ids.reduce((most, id) => Math.max(most, levelOf.get(id) ?? -1), -1);

/** Every task after all that it depends on. */
function inOrderOfDependency(nodes: readonly GraphNode[]): GraphNode[] {
  const byId = new Map(nodes.map((node) => [node.taskId, node]));
  const open = new Map<string, number>();
  const dependents = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const known = node.dependsOn.filter((id) => byId.has(id));
    open.set(node.taskId, known.length);
    for (const id of known) {
      const others = dependents.get(id);
      if (others === undefined) dependents.set(id, [node]);
      else others.push(node);
    }
  }
  const order = nodes.filter(({ taskId }) => open.get(taskId) === 0);
  // Grows while it is walked: whoever has nothing open any more comes behind all that it waited for.
  for (const { taskId } of order) {
    for (const dependent of dependents.get(taskId) ?? []) {
      const left = (open.get(dependent.taskId) ?? 0) - 1;
      open.set(dependent.taskId, left);
      if (left === 0) order.push(dependent);
    }
  }
  return order;
}

const isLeft = ({ state }: GraphNode): boolean => state === 'blocked' || state === 'ready' || state === 'running';

interface Chain {
  readonly ms: number;
  readonly count: number;
  readonly before: string | undefined;
}

/**
 * The chain of what is not done that ends last: by when its last task is expected to be done, then by the number of tasks, then by
 * the order given. A task whose own time comes later than the end of what it waits for begins a chain. A task is expected to take the mean of the completed tasks of its type, or of all completed ones where there is
 * none of its type, less what it has run already.
 */
function findCriticalPath(order: readonly GraphNode[]): CriticalPath {
  const expectedMs = expectDurations(order);
  const chains = new Map<string, Chain>();
  let end: string | undefined;
  for (const node of order) {
    if (!isLeft(node)) continue;
    const before = longestOf(node.dependsOn, chains);
    const behind = before === undefined ? undefined : chains.get(before);
    const ms = Math.max(0, expectedMs(node.type) - (node.state === 'running' ? (node.ranMs ?? 0) : 0));
    const waitMs = node.state === 'running' ? 0 : Math.max(0, node.waitMs);
    chains.set(
      node.taskId,
      behind === undefined || behind.ms < waitMs
        ? { ms: waitMs + ms, count: 1, before: undefined }
        : { ms: behind.ms + ms, count: behind.count + 1, before },
    );
    end = longestOf(end === undefined ? [node.taskId] : [end, node.taskId], chains);
  }
  const taskIds: string[] = [];
  for (let id = end; id !== undefined; id = chains.get(id)?.before) taskIds.push(id);
  const isKnown = order.some(({ state, ranMs }) => state === 'completed' && ranMs !== null);
  return {
    taskIds: taskIds.toReversed(),
    remainingMs: isKnown ? Math.round((end === undefined ? undefined : chains.get(end)?.ms) ?? 0) : undefined,
  };
}

function longestOf(ids: readonly string[], chains: ReadonlyMap<string, Chain>): string | undefined {
  let best: string | undefined;
  for (const id of ids) {
    const chain = chains.get(id);
    const other = best === undefined ? undefined : chains.get(best);
    if (chain === undefined) continue;
    if (other === undefined || chain.ms > other.ms || (chain.ms === other.ms && chain.count > other.count)) best = id;
  }
  return best;
}

function expectDurations(nodes: readonly GraphNode[]): (type: string) => number {
  const all = { sum: 0, count: 0 };
  const byType = new Map<string, typeof all>();
  for (const { type, state, ranMs } of nodes) {
    if (state !== 'completed' || ranMs === null) continue;
    const ofType = byType.get(type) ?? { sum: 0, count: 0 };
    byType.set(type, ofType);
    for (const mean of [all, ofType]) {
      mean.sum += ranMs;
      mean.count += 1;
    }
  }
  return (type) => {
    const { sum, count } = byType.get(type) ?? all;
    return count === 0 ? 0 : sum / count;
  };
}
