import type { FinalState } from './final-state.ts';
import { checkEvents } from './check-events.ts';
import type { Operation } from './history.ts';
import { claimsOf, type Hold, listHolds } from './holds.ts';

export const rules = [
  'double completion',
  'lost task',
  'double submission',
  'unexplained execution',
  'overlapping holders',
  'fence not risen',
  'stale fence accepted',
  'cancellation undone',
  'begun too early',
  'never ended',
  'gap in the events',
] as const;

/** A promise that the history shows to be broken, with the calls that show it. */
export interface Finding {
  readonly rule: (typeof rules)[number];
  readonly message: string;
  readonly operations: readonly Operation[];
}

export interface FinishedHistory {
  readonly operations: readonly Operation[];
  readonly final: FinalState;
}

/** All that is wrong with a history, given what the database says when everything has come to rest. */
export function checkHistory({ operations, final }: FinishedHistory): Finding[] {
  const holds = listHolds(operations);
  return [
    ...checkCompletions(operations, final),
    ...checkSubmissions(operations, final),
    ...checkAttemptsGivenTwice(holds),
    ...checkOverlaps(holds),
    ...checkFences(holds),
    ...checkStaleFences(operations, holds),
    ...checkCancellations(operations),
    ...checkEvents(final),
    ...final.tasks
      .filter(({ state }) => state === 'blocked' || state === 'ready' || state === 'running')
      .map(({ id, state, pending }) => finding('never ended', `The task ${id} is ${state} for ever; it waits for ${pending} others.`)),
  ];
}

/** For a person: what is broken, and the calls that show it in the order in which they began. */
export const describeFindings = (findings: readonly Finding[]): string =>
  findings.map(({ rule, message, operations }) => [`${rule}: ${message}`, ...operations.map(describeOperation)].join('\n  ')).join('\n');

function describeOperation({ id, client, session, method, params, invokedAt, endedAt, outcome, result, kind }: Operation): string {
  const end = endedAt === undefined ? '…' : endedAt.toFixed(3);
  const told = outcome === 'ok' ? JSON.stringify(result) : (kind ?? '');
  return `${id} ${client}${session === undefined ? '' : ` (${session})`} ${invokedAt.toFixed(3)}–${end} ${method} ${JSON.stringify(params)} → ${outcome} ${told}`;
}

const finding = (rule: Finding['rule'], message: string, ...operations: readonly Operation[]): Finding => ({ rule, message, operations });

function checkCompletions(operations: readonly Operation[], { tasks, attempts }: FinalState): Finding[] {
  const acknowledged = operations.filter(({ method, outcome }) => method === 'task/complete' && outcome === 'ok');
  const states = new Map(tasks.map((task) => [task.id, task]));
  const outcomes = new Map(attempts.map(({ taskId, number, outcome }) => [`${taskId} ${number}`, outcome]));
  return [...Map.groupBy(acknowledged, ({ params }) => String(params['taskId']))].flatMap(([taskId, completions]) => {
    const [first, ...others] = completions as [Operation, ...Operation[]];
    const other = others.find(({ session, params }) => session !== first.session || params['attempt'] !== first.params['attempt']);
    const author = (first.params['output'] as { author?: string } | undefined)?.author ?? null;
    const task = states.get(taskId);
    if (other !== undefined) return [finding('double completion', `Two completions of the task ${taskId} were accepted.`, first, other)];
    if (task?.state !== 'completed')
      return [finding('lost task', `The task ${taskId} was completed and is ${task?.state ?? 'gone'}.`, first)];
    if (task.author !== author)
      return [
        finding('double completion', `The result of the task ${taskId} is not the one that was accepted, but of ${task.author}.`, first),
      ];
    if (outcomes.get(`${taskId} ${String(first.params['attempt'])}`) !== 'completed')
      return [finding('lost task', `The attempt that completed the task ${taskId} is not kept as completed.`, first)];
    return [];
  });
}

function checkSubmissions(operations: readonly Operation[], { tasks }: FinalState): Finding[] {
  const ids = new Set(tasks.map(({ id }) => id));
  const submissions = operations.filter(({ method, outcome }) => method === 'task/submit' && outcome === 'ok');
  const idsOf = ({ result }: Operation) => (result as { tasks: { id: string }[] }).tasks.map(({ id }) => id);
  const lost = submissions.flatMap((operation) =>
    idsOf(operation)
      .filter((id) => !ids.has(id))
      .map((id) => finding('lost task', `The task ${id} was accepted and is not there.`, operation)),
  );
  const byKey = Map.groupBy(submissions, ({ params }) => params['idempotencyKey']);
  const answered = [...byKey.values()].flatMap(([first, ...others]) =>
    others
      .filter((other) => idsOf(other).join() !== idsOf(first!).join())
      .map((other) => finding('double submission', 'One key was answered in two ways.', first!, other)),
  );
  const byMark = Map.groupBy(tasks, ({ mark }) => mark);
  const stored = [...byMark].flatMap(([mark, same]) =>
    mark !== null && same.length > 1
      ? [finding('double submission', `What was submitted once as ${mark} is there ${same.length} times.`)]
      : [],
  );
  return [...lost, ...answered, ...stored];
}

/** The same attempt in two hands. */
function checkAttemptsGivenTwice(holds: readonly Hold[]): Finding[] {
  const given = Map.groupBy(
    holds.filter(({ what }) => what.startsWith('task ')),
    ({ what, fence }) => `attempt ${fence} of the ${what}`,
  );
  return [...given].flatMap(([name, [first, ...others]]) =>
    others
      .filter(({ session }) => session !== first!.session)
      .map((other) => finding('unexplained execution', `The ${name} was given to two sessions.`, first!.operation, other.operation)),
  );
}

const excludes = (a: Hold, b: Hold): boolean => a.mode === 'exclusive' || b.mode === 'exclusive';

/** Two who held at one moment what only one may hold. */
function checkOverlaps(holds: readonly Hold[]): Finding[] {
  return [...Map.groupBy(holds, ({ what }) => what)].flatMap(([what, all]) =>
    pairs(all.toSorted((a, b) => a.fence - b.fence))
      .filter(([a, b]) => a.session !== b.session && excludes(a, b) && Math.max(a.from, b.from) < Math.min(a.until, b.until))
      .map(([a, b]) =>
        what.startsWith('task ')
          ? finding(
              'unexplained execution',
              `Attempt ${b.fence} of the ${what} was given out while attempt ${a.fence} ran.`,
              a.operation,
              b.operation,
            )
          : finding(
              'overlapping holders',
              `${what} was held under the fences ${a.fence} and ${b.fence} at once.`,
              a.operation,
              b.operation,
            ),
      ),
  );
}

/** What was granted after an earlier grant was answered has a higher fence. Who holds something already keeps the fence it has. */
function checkFences(holds: readonly Hold[]): Finding[] {
  return [...Map.groupBy(holds, ({ what }) => what)].flatMap(([what, all]) => {
    const granted = all.filter(
      (hold, index) => !all.slice(0, index).some(({ session, fence }) => session === hold.session && fence === hold.fence),
    );
    return pairs(granted)
      .filter(([a, b]) => (a.from < b.operation.invokedAt ? b.fence <= a.fence : b.fence === a.fence))
      .map(([a, b]) =>
        finding('fence not risen', `${what} was granted under ${a.fence}, and then under ${b.fence}.`, a.operation, b.operation),
      );
  });
}

/** A resource asked whether to let a writer in, and was told yes after somebody else had got the key for itself. */
function checkStaleFences(operations: readonly Operation[], holds: readonly Hold[]): Finding[] {
  const byKey = Map.groupBy(holds, ({ what }) => what);
  return operations.flatMap((operation) => {
    const { method, outcome, params, result, invokedAt } = operation;
    if (method !== 'lock/check' || outcome !== 'ok' || !(result as { valid: boolean }).valid) return [];
    const known = byKey.get(String(params['key'])) ?? [];
    const own = known.find(({ fence }) => fence === params['fence']);
    const newer = known.find(
      (hold) => hold.fence > Number(params['fence']) && hold.from < invokedAt && (hold.mode === 'exclusive' || own?.mode === 'exclusive'),
    );
    if (newer === undefined) return [];
    const message = `${String(params['key'])} let in the fence ${String(params['fence'])} after ${newer.fence} had been granted.`;
    return [finding('stale fence accepted', message, newer.operation, operation)];
  });
}

/** A cancellation was acknowledged, and a completion of what it had cancelled afterwards. */
function checkCancellations(operations: readonly Operation[]): Finding[] {
  const claims = operations.filter(({ method, outcome }) => method === 'task/claim' && outcome === 'ok');
  const claimOf = new Map<string, Operation>(
    claims.flatMap((claim) => claimsOf(claim).map(({ taskId, attempt }) => [`${taskId} ${attempt}`, claim] as const)),
  );
  const cancels = operations.filter(({ method, outcome }) => method === 'task/cancel' && outcome === 'ok');
  const completions = operations.filter(({ method, outcome }) => method === 'task/complete' && outcome === 'ok');
  return cancels.flatMap((cancel) =>
    completions
      .filter(({ params, invokedAt }) => {
        const claim = claimOf.get(`${String(params['taskId'])} ${String(params['attempt'])}`);
        const isOfTask = params['taskId'] === cancel.params['taskId'];
        return isOfTask && invokedAt > cancel.endedAt! && claim !== undefined && claim.endedAt! < cancel.invokedAt;
      })
      .map((completion) =>
        finding('cancellation undone', `The task ${String(cancel.params['taskId'])} was cancelled and then completed.`, cancel, completion),
      ),
  );
}

function pairs<T>(items: readonly T[]): (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}
