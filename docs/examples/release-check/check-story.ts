import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** As much of the report of `baton run` as the checks below read. */
export const reportSchema = z.object({
  outcome: z.string(),
  workspace: z.string(),
  ticket: z.object({ phase: z.string(), state: z.string() }),
  phases: z.array(z.object({ phase: z.string(), visit: z.number(), kind: z.string().optional(), reason: z.string().optional() })),
  tasks: z.object({
    total: z.number(),
    byState: z.record(z.string(), z.number()),
    list: z.array(
      z.object({
        id: z.string(),
        ref: z.string().optional(),
        type: z.string(),
        title: z.string(),
        phase: z.string(),
        visit: z.number(),
        state: z.string(),
        parentTaskId: z.string().optional(),
        summary: z.string().optional(),
        attempts: z.array(z.object({ agent: z.string(), outcome: z.string().optional(), error: z.string().optional() })),
      }),
    ),
  }),
  gates: z.array(
    z.object({ phase: z.string(), visit: z.number(), outcome: z.string(), reasons: z.array(z.object({ message: z.string() })) }),
  ),
  artifacts: z.array(z.object({ type: z.string(), name: z.string(), phase: z.string(), visit: z.number() })),
  locks: z.object({ waits: z.array(z.object({ taskId: z.string(), title: z.string(), key: z.string() })) }),
});
type Report = z.infer<typeof reportSchema>;

export interface Check {
  readonly promise: string;
  /** Undefined where the run did not show it. */
  readonly evidence: string | undefined;
}

/** Everything that the demo promises to show, each with where in the report it can be seen. */
export const checkStory = async (report: Report): Promise<Check[]> => [
  { promise: 'the ticket went through all phases', evidence: findWay(report) },
  { promise: 'a task made more tasks, one for each module', evidence: findChildren(report) },
  { promise: 'what one phase left behind was used in a later one', evidence: findCitations(report) },
  { promise: 'two tasks waited for one lock', evidence: findWaits(report) },
  { promise: 'a gate refused for a measured reason and passed after more work', evidence: findRefusal(report) },
  { promise: 'a task failed once and succeeded when tried again', evidence: findRetry(report) },
  { promise: 'the ticket was sent back from TESTING to IMPLEMENTATION', evidence: findReturn(report) },
  { promise: 'a command agent packed the library', evidence: await findPackage(report) },
];

const wayExpected = ['BACKLOG', 'REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION', 'TESTING', 'IMPLEMENTATION', 'TESTING', 'DEPLOYMENT', 'DONE'];

function findWay({ outcome, ticket, phases, tasks }: Report): string | undefined {
  const way = phases.map(({ phase }) => phase);
  const isWhole = outcome === 'done' && ticket.phase === 'DONE' && way.join() === wayExpected.join();
  return isWhole && tasks.byState['completed'] === tasks.total ? `${way.length} visits, ${tasks.total} tasks, all completed` : undefined;
}

function findChildren({ tasks: { list } }: Report): string | undefined {
  const plan = list.find(({ type }) => type === 'plan-work');
  const children = list.filter(
    ({ parentTaskId, type }) => parentTaskId !== undefined && parentTaskId === plan?.id && type === 'improve-module',
  );
  return children.length >= 12 ? `${plan?.title ?? ''} made ${children.length}` : undefined;
}

function findCitations({ tasks: { list } }: Report): string | undefined {
  const design = list.find(({ type, phase }) => type === 'write-design' && phase === 'DESIGN');
  return /Builds on c:\d+.*/.exec(design?.summary ?? '')?.[0];
}

function findWaits({ locks: { waits } }: Report): string | undefined {
  const byKey = Map.groupBy(waits, ({ key }) => key);
  for (const [key, some] of byKey) {
    const titles = new Set(some.map(({ title }) => title));
    if (key.startsWith('file:') && titles.size >= 2) return `${[...titles].join(' and ')}, for ${key}`;
  }
  return undefined;
}

function findRefusal({ gates }: Report): string | undefined {
  const refused = gates.findIndex(
    ({ phase, outcome, reasons }) => phase === 'IMPLEMENTATION' && outcome === 'failed' && coverageReason(reasons) !== undefined,
  );
  const visit = gates[refused]?.visit;
  const hasPassed = gates
    .slice(refused + 1)
    .some((gate) => gate.phase === 'IMPLEMENTATION' && gate.visit === visit && gate.outcome === 'passed');
  return hasPassed ? coverageReason(gates[refused]?.reasons ?? []) : undefined;
}

const coverageReason = (reasons: Report['gates'][number]['reasons']): string | undefined =>
  reasons.map(({ message }) => /test_coverage: percentage is [\d.]+, wanted >= 80/.exec(message)?.[0]).find((found) => found !== undefined);

function findRetry({ tasks: { list } }: Report): string | undefined {
  const task = list.find(
    ({ state, attempts }) => state === 'completed' && attempts[0]?.outcome === 'failed' && attempts.at(-1)?.outcome === 'completed',
  );
  return task === undefined ? undefined : `${task.title} (${task.attempts[0]?.error ?? ''})`;
}

function findReturn({ phases, gates }: Report): string | undefined {
  const back = phases.find(({ phase, kind }) => phase === 'IMPLEMENTATION' && kind === 'regression');
  const refusal = gates.find(({ phase, outcome }) => phase === 'TESTING' && outcome === 'failed');
  const hasPassed = gates.some(({ phase, outcome }) => phase === 'TESTING' && outcome === 'passed');
  return back !== undefined && hasPassed ? refusal?.reasons[0]?.message : undefined;
}

async function findPackage({ workspace, artifacts, tasks: { list } }: Report): Promise<string | undefined> {
  const artifact = artifacts.find(({ type, phase }) => type === 'release_package' && phase === 'DEPLOYMENT');
  const isPackers = list.some(({ type, attempts }) => type === 'pack' && attempts.at(-1)?.agent === 'packer');
  if (artifact === undefined || !isPackers) return undefined;
  const { size } = await stat(join(`${workspace}.release-check`, 'package', artifact.name));
  return `${artifact.name}, ${size} bytes`;
}
