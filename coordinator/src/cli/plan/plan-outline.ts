import {
  type GateDefinition,
  softwareDelivery,
  taskRef,
  taskTemplate,
  type TaskTemplate,
  type WorkflowDefinition,
  workflowDefinition,
} from '@baton/protocol';
import type { Path, PlanDocument } from './plan-document.ts';
import { planSchema, type PlanAgent, planAgent, type PlanGate, planPhase, type PlanPhase } from '../plan-schema.ts';

/** A task of the plan and its place. A task that has not the right shape is here with its reference alone. */
export interface OutlineTask {
  readonly path: Path;
  readonly ref: string | undefined;
  readonly template: TaskTemplate | undefined;
}

export interface OutlinePhase {
  readonly name: string;
  readonly path: Path;
  readonly tasks: readonly OutlineTask[];
  readonly gate: PlanGate | undefined;
  readonly onRefused: PlanPhase['onRefused'];
  readonly advance: PlanPhase['advance'];
  /** Its own fields have the right shape, so that what they leave out can be judged. */
  readonly isWhole: boolean;
}

/**
 * What can be understood of a plan, so that a mistake in one place does not hide the mistakes elsewhere: each part that has
 * the right shape is here, whatever the others look like.
 */
export interface PlanOutline {
  /** Absent where the plan's own workflow has not the right shape. */
  readonly workflow: WorkflowDefinition | undefined;
  readonly agents: ReadonlyMap<string, PlanAgent>;
  /** Every agent of the plan has the right shape, so that what nobody offers can be judged. */
  readonly hasAllAgents: boolean;
  readonly phases: readonly OutlinePhase[];
}

export function outlinePlan({ value }: PlanDocument): PlanOutline {
  const root = asRecord(value);
  const agents = Object.entries(asRecord(root['agents'])).map(([name, agent]) => [name, planAgent.safeParse(agent)] as const);
  return {
    workflow: outlineWorkflow(root['workflow']),
    agents: new Map(agents.flatMap(([name, { data }]) => (data === undefined ? [] : [[name, data] as const]))),
    hasAllAgents: agents.every(([, { success }]) => success) && (root['agents'] === undefined || isRecord(root['agents'])),
    phases: outlinePhases(root),
  };
}

function outlineWorkflow(given: unknown): WorkflowDefinition | undefined {
  if (given === undefined || given === softwareDelivery.name) return softwareDelivery;
  return planSchema.shape.workflow.safeParse(given).success ? workflowDefinition.safeParse(given).data : undefined;
}

/** A phase as it is written in one place: under `phases`, or in the plan's own workflow. */
interface Written {
  readonly path: Path;
  readonly fields: Readonly<Record<string, unknown>>;
}

function outlinePhases(root: Readonly<Record<string, unknown>>): OutlinePhase[] {
  const written = new Map<string, Written[]>();
  const add = (name: string, place: Written) => written.set(name, [...(written.get(name) ?? []), place]);
  for (const [name, phase] of Object.entries(asRecord(root['phases']))) add(name, { path: ['phases', name], fields: asRecord(phase) });
  for (const [index, phase] of asList(asRecord(root['workflow'])['phases']).entries()) {
    const { name, description: _, ...fields } = asRecord(phase);
    if (typeof name === 'string') add(name, { path: ['workflow', 'phases', index], fields });
  }
  return [...written].map(([name, places]) => outlinePhase(name, places));
}

/** What stands under `phases` comes before what the workflow says, field by field. */
function outlinePhase(name: string, places: readonly Written[]): OutlinePhase {
  const { tasks: _, ...fields } = Object.assign({}, ...places.toReversed().map((place) => place.fields)) as Record<string, unknown>;
  const own = planPhase.safeParse(fields);
  const { gate, onRefused, advance } = own.data ?? {};
  const source = places.find((place) => 'tasks' in place.fields);
  const tasks = asList(source?.fields['tasks']).map((task, index) => outlineTask(task, [...(source?.path ?? []), 'tasks', index]));
  return { name, path: places[0]?.path ?? [], tasks, gate, onRefused, advance, isWhole: own.success };
}

function outlineTask(given: unknown, path: Path): OutlineTask {
  const template = taskTemplate.safeParse(given).data;
  return { path, ref: template?.ref ?? taskRef.safeParse(asRecord(given)['ref']).data, template };
}

/** The gate that a phase will have: the plan's, or else that of the workflow. */
export function gateOf(
  workflow: WorkflowDefinition,
  { name, gate, tasks }: Pick<OutlinePhase, 'name' | 'gate'> & { readonly tasks: readonly unknown[] },
): GateDefinition | undefined {
  // Work that a phase does not have cannot be asked of it.
  const tasksMin = tasks.length > 0 ? 1 : 0;
  if (gate !== undefined) return { ...gate, tasksMin: gate.tasksMin ?? tasksMin };
  const own = workflow.phases.find((phase) => phase.name === name)?.gate;
  return own === undefined || tasks.length > 0 ? own : { ...own, tasksMin: 0 };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
