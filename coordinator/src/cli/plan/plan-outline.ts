import {
  type GateDefinition,
  softwareDelivery,
  taskRef,
  taskTemplate,
  type TaskTemplate,
  type WorkflowDefinition,
  workflowDefinition,
} from '@baton/protocol';
import { agentKinds, planSchema, type PlanAgent, planPhase, type PlanGate, type PlanPhase } from '../plan-schema.ts';
import type { Path, YamlDocument } from '../yaml/yaml-document.ts';
import { asList, asRecord, isRecord, meantBy, salvage } from './salvage.ts';

/** A task of the plan and its place. */
export interface OutlineTask {
  readonly path: Path;
  readonly ref: string | undefined;
  /** Without the fields that do not fit; undefined where nothing is left. */
  readonly template: TaskTemplate | undefined;
  /** The fields of which it is not known what they should say. */
  readonly unsure: ReadonlySet<string>;
}

/** It is known when the task is made. */
export const isSureWhen = ({ template, unsure }: Pick<OutlineTask, 'template' | 'unsure'>): boolean =>
  template !== undefined && !unsure.has('when');

export interface OutlinePhase {
  readonly name: string;
  readonly path: Path;
  readonly tasks: readonly OutlineTask[];
  readonly gate: PlanGate | undefined;
  /** Its gate as it is written, with the place of that. */
  readonly writtenGate: { readonly path: Path; readonly value: unknown };
  readonly onRefused: PlanPhase['onRefused'];
  readonly advance: PlanPhase['advance'];
  /** The fields of which it is not known what they should say. */
  readonly unsure: ReadonlySet<string>;
}

/**
 * What can be understood of a plan, so that a mistake in one place does not hide the mistakes elsewhere: each part that has
 * the right shape is here, whatever the others look like.
 */
export interface PlanOutline {
  /** Absent where the plan's own workflow has not the right shape. */
  readonly workflow: WorkflowDefinition | undefined;
  readonly agents: ReadonlyMap<string, PlanAgent>;
  /** Those of them of which it is not known what they offer. */
  readonly unsureAgents: ReadonlySet<string>;
  /** What all agents offer is known, so that what nobody offers can be judged. */
  readonly hasAllAgents: boolean;
  readonly phases: readonly OutlinePhase[];
  /** All phases are known, so that those that are left out can be judged. */
  readonly hasAllPhases: boolean;
}

export function outlinePlan({ value }: YamlDocument): PlanOutline {
  const root = asRecord(value);
  const known = Object.keys(planSchema.shape);
  const unsure = meantBy(
    Object.keys(root).filter((key) => !known.includes(key)),
    known,
  );
  const isWhole = (field: string) => !unsure.has(field) && (root[field] === undefined || isRecord(root[field]));
  const agents = Object.entries(asRecord(root['agents'])).map(([name, agent]) => ({ name, ...outlineAgent(agent) }));
  return {
    workflow: outlineWorkflow(root['workflow']),
    agents: new Map(agents.flatMap(({ name, data }) => (data === undefined ? [] : [[name, data] as const]))),
    unsureAgents: new Set(agents.flatMap(({ name, isSure }) => (isSure ? [] : [name]))),
    hasAllAgents: agents.every(({ isSure }) => isSure) && isWhole('agents'),
    phases: outlinePhases(root),
    hasAllPhases: isWhole('phases') && !unsure.has('workflow'),
  };
}

function outlineAgent(given: unknown): { readonly data: PlanAgent | undefined; readonly isSure: boolean } {
  const [kind, ...others] = kindsOf(given);
  if (kind === undefined || others.length > 0) return { data: undefined, isSure: false };
  const { data, unsure } = salvage(agentKinds[kind], given);
  return { data, isSure: data !== undefined && !unsure.has('capabilities') };
}

/** What an agent says that it is: one of these, if it is right. */
export const kindsOf = (agent: unknown): (keyof typeof agentKinds)[] =>
  (['module', 'process', 'command'] as const).filter((kind) => kind in asRecord(agent));

function outlineWorkflow(given: unknown): WorkflowDefinition | undefined {
  if (given === undefined || given === softwareDelivery.name) return softwareDelivery;
  return planSchema.shape.workflow.safeParse(given).success ? workflowDefinition.safeParse(given).data : undefined;
}

/** A phase as it is written in one place: under `phases`, or in the plan's own workflow. */
interface Written {
  readonly path: Path;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isRead: boolean;
}

function outlinePhases(root: Readonly<Record<string, unknown>>): OutlinePhase[] {
  const written = new Map<string, Written[]>();
  const add = (name: string, place: Written) => written.set(name, [...(written.get(name) ?? []), place]);
  for (const [name, phase] of Object.entries(asRecord(root['phases'])))
    add(name, { path: ['phases', name], fields: asRecord(phase), isRead: isRecord(phase) });
  for (const [index, phase] of asList(asRecord(root['workflow'])['phases']).entries()) {
    const { name, description: _, ...fields } = asRecord(phase);
    if (typeof name === 'string') add(name, { path: ['workflow', 'phases', index], fields, isRead: true });
  }
  return [...written].map(([name, places]) => outlinePhase(name, places));
}

/** What stands under `phases` comes before what the workflow says, field by field. */
function outlinePhase(name: string, places: readonly Written[]): OutlinePhase {
  const { tasks, ...fields } = Object.assign({}, ...places.toReversed().map((place) => place.fields)) as Record<string, unknown>;
  const { data, unsure } = salvage(planPhase, fields);
  const isRead = places.every((place) => place.isRead) && (tasks === undefined || Array.isArray(tasks));
  const pathOf = (field: string): Path => [...(places.find((place) => field in place.fields)?.path ?? []), field];
  return {
    name,
    path: places[0]?.path ?? [],
    tasks: asList(tasks).map((task, index) => outlineTask(task, [...pathOf('tasks'), index])),
    gate: data?.gate,
    writtenGate: { path: pathOf('gate'), value: fields['gate'] },
    onRefused:
      data?.onRefused ?? ('onRefused' in fields ? salvage(planPhase.shape.onRefused.unwrap(), fields['onRefused']).data : undefined),
    advance: data?.advance,
    unsure: isRead ? unsure : new Set([...unsure, 'tasks']),
  };
}

function outlineTask(given: unknown, path: Path): OutlineTask {
  const { data: template, unsure } = salvage(taskTemplate, given);
  return { path, ref: template?.ref ?? taskRef.safeParse(asRecord(given)['ref']).data, template, unsure };
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
