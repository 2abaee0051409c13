import type { EdgeKind, FieldProblem, PhaseDefinition, Ticket, WorkflowDefinition } from '@baton/protocol';
import { describeProblem, findNeedProblems } from '../agent/capability-rules.ts';
import { findSchemaFaults } from '../artifact/content-schema.ts';
import { findTemplateProblems } from './template-problems.ts';

/** What contradicts itself in a workflow, each with the path of the field; empty where it holds together. */
export function findWorkflowProblems(workflow: WorkflowDefinition): FieldProblem[] {
  const names = workflow.phases.map(({ name }) => name);
  const known = new Set(names);
  const problems: FieldProblem[] = [];
  const report = (path: string, message: string) => void problems.push({ path, message });
  const unknown = (name: string) => `There is no phase ${name}; there are ${names.join(', ')}.`;

  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) report(`phases[${index}].name`, `The phase ${name} is there twice.`);
  }
  for (const [index, { from, to, kind }] of workflow.edges.entries()) {
    if (!known.has(from)) report(`edges[${index}].from`, unknown(from));
    if (!known.has(to)) report(`edges[${index}].to`, unknown(to));
    const first = workflow.edges.findIndex((edge) => edge.from === from && edge.to === to);
    if (first !== index) report(`edges[${index}]`, `The edge from ${from} to ${to} is there already, as edges[${first}].`);
    if (from === to) report(`edges[${index}]`, `The edge leads from ${from} to ${from} itself.`);
    const { blockedPhase } = workflow;
    if (to === blockedPhase && kind !== 'block') report(`edges[${index}].kind`, `An edge to the blocked phase is of the kind block.`);
    if (from === blockedPhase && kind !== 'unblock')
      report(`edges[${index}].kind`, `An edge from the blocked phase is of the kind unblock.`);
  }
  if (workflow.blockedPhase !== undefined && !known.has(workflow.blockedPhase)) report('blockedPhase', unknown(workflow.blockedPhase));
  for (const [index, { name, onRefused, tasks }] of workflow.phases.entries()) {
    for (const [number, { capabilities = [] }] of tasks.entries()) {
      const needs = findNeedProblems(capabilities, `phases[${index}].tasks[${number}].capabilities`);
      for (const problem of needs) report(problem.path, describeProblem(problem));
    }
    const to = onRefused?.regressTo;
    if (to !== undefined && findEdge(workflow, name, to)?.kind !== 'regression') {
      report(`phases[${index}].onRefused.regressTo`, `There is no regression edge from ${name} to ${to}.`);
    }
    if (onRefused !== undefined && to === undefined && !tasks.some(({ when }) => when === 'refused')) {
      report(`phases[${index}].onRefused`, 'Name a phase in regressTo, or give tasks with `when: refused`.');
    }
  }
  problems.push(...findTemplateProblems(workflow));
  for (const [type, { schema }] of Object.entries(workflow.artifactTypes ?? {}))
    for (const { path, message } of schema === undefined ? [] : findSchemaFaults(schema))
      report(`artifactTypes.${type}.schema${path}`, message);
  for (const name of unreachablePhases(workflow))
    report(`phases[${names.indexOf(name)}]`, `No way leads from ${names[0] ?? ''} to ${name}.`);
  // Where an edge leads to nowhere the ways are not known.
  const areWaysKnown = workflow.edges.every(({ from, to }) => known.has(from) && known.has(to));
  for (const name of areWaysKnown ? deadEnds(workflow) : [])
    report(
      `phases[${names.indexOf(name)}]`,
      `${name} is a dead end: no way of forward and regression edges leads from it to a final phase.`,
    );
  return problems;
}

/** Phases that work can flow into and never come to an end from. Where there is no final phase, all are. */
function deadEnds(workflow: WorkflowDefinition): string[] {
  const { phases, edges, blockedPhase } = workflow;
  const names = phases.map(({ name }) => name).filter((name) => name !== blockedPhase);
  const ending = new Set(names.filter((name) => isFinal(workflow, name)));
  const ways = edges.filter(({ kind }) => kind === 'forward' || kind === 'regression');
  // As above: what is added on the way is walked too.
  for (const phase of ending) for (const { from, to } of ways) if (to === phase) ending.add(from);
  return names.filter((name) => !ending.has(name));
}

function unreachablePhases({ phases, edges }: WorkflowDefinition): string[] {
  const reached = new Set(phases.slice(0, 1).map(({ name }) => name));
  // Sets are walked in order of insertion, and what is added on the way is walked too.
  for (const phase of reached) for (const { from, to } of edges) if (from === phase) reached.add(to);
  return phases.map(({ name }) => name).filter((name) => !reached.has(name));
}

export const findPhase = ({ phases }: WorkflowDefinition, name: string): PhaseDefinition | undefined =>
  phases.find((phase) => phase.name === name);

export const findEdge = ({ edges }: WorkflowDefinition, from: string, to: string) =>
  edges.find((edge) => edge.from === from && edge.to === to);

export const firstPhase = ({ phases }: WorkflowDefinition): PhaseDefinition => {
  const [first] = phases;
  if (first === undefined) throw new Error('A workflow without phases was stored.');
  return first;
};

export const isFinal = ({ edges }: WorkflowDefinition, phase: string): boolean => !edges.some(({ from }) => from === phase);

/** Where work flows from a phase, unless it is final or everything that leaves it goes back. */
export const nextPhase = ({ edges }: WorkflowDefinition, phase: string): string | undefined =>
  edges.find(({ from, kind }) => from === phase && kind === 'forward')?.to;

export interface Position {
  readonly phase: string;
  /** The phase a blocked ticket was blocked in. */
  readonly blockedIn: string | null | undefined;
  /** A cancelled ticket goes nowhere. */
  readonly state?: Ticket['state'];
}

export interface Way {
  readonly to: string;
  readonly kind: EdgeKind;
}

/** All edges that leave where a ticket stands, with the one back to the phase it was blocked in. */
export function edgesFrom(workflow: WorkflowDefinition, { phase, blockedIn, state }: Position): Way[] {
  if (state === 'cancelled') return [];
  const edges = workflow.edges.filter(({ from }) => from === phase).map(({ to, kind }) => ({ to, kind }));
  const wayBack = phase === workflow.blockedPhase ? blockedIn : undefined;
  return wayBack === null || wayBack === undefined || edges.some(({ to }) => to === wayBack)
    ? edges
    : [...edges, { to: wayBack, kind: 'unblock' }];
}

/**
 * The phases whose gates a ticket would get around on a way that asks for no gate: where it leads further on, that of the phase
 * the ticket stands in and those of all phases before the target. A blocked ticket counts from the phase it was blocked in.
 */
export function gatesAround({ phases, blockedPhase }: WorkflowDefinition, { phase, blockedIn }: Position, { to, kind }: Way): string[] {
  if (kind === 'forward' || to === blockedPhase) return [];
  const names = phases.map(({ name }) => name);
  // A ticket that began in the blocked phase has passed nothing yet.
  const start = phase === blockedPhase ? names.indexOf(blockedIn ?? '') : names.indexOf(phase);
  return phases
    .slice(Math.max(0, start), names.indexOf(to))
    .filter(({ name, gate }) => gate !== undefined && name !== blockedPhase)
    .map(({ name }) => name);
}
