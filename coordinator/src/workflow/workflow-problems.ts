import type { FieldProblem, PhaseDefinition, WorkflowDefinition } from '@baton/protocol';
import { describeProblem, findNeedProblems } from '../agent/capability-rules.ts';
import { findCycle } from '../task/graph-rules.ts';
import { listPatterns } from './gate-contents.ts';
import { findIdleFields } from './idle-fields.ts';
import { findTemplateProblems } from './template-problems.ts';
import { findEdge, isFinal, nextPhase } from './workflow-rules.ts';

/**
 * How many characters the patterns of a workflow's criteria may have, each of them counted once. RE2 takes up to a fifth of a
 * millisecond for one of them, as in `a{1000}`: two seconds, and a check may take no more.
 */
const patternsMax = 10_000;

/**
 * What contradicts itself in a workflow, each with the path of the field; empty where it holds together. What has to be compiled
 * to be judged is judged by `findMisfits`.
 */
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
  // Where an edge leads to nowhere the ways are not known.
  const areWaysKnown = workflow.edges.every(({ from, to }) => known.has(from) && known.has(to));
  for (const [index, phase] of workflow.phases.entries()) {
    const { name, onRefused, tasks } = phase;
    for (const [number, { capabilities = [] }] of tasks.entries()) {
      const needs = findNeedProblems(capabilities, `phases[${index}].tasks[${number}].capabilities`);
      for (const problem of needs) report(problem.path, describeProblem(problem));
    }
    const to = onRefused?.regressTo;
    if (to !== undefined && findEdge(workflow, name, to)?.kind !== 'regression') {
      report(`phases[${index}].onRefused.regressTo`, `There is no regression edge from ${name} to ${to}.`);
    }
    const lie = {
      isLeft: !areWaysKnown || nextPhase(workflow, name) !== undefined,
      isBlocked: name === workflow.blockedPhase,
      isFinal: areWaysKnown && isFinal(workflow, name) && workflow.edges.some(({ to }) => to === name),
    };
    for (const { path, message } of findIdleFields(phase, lie)) report(`phases[${index}].${path}`, message);
  }
  problems.push(...findTemplateProblems(workflow));
  const patterns = new Set(workflow.phases.flatMap(({ gate }) => listPatterns(gate).map(({ pattern }) => pattern)));
  const length = [...patterns].join('').length;
  if (length > patternsMax)
    report('phases', `The patterns of its criteria have ${length} characters together and may have ${patternsMax}: write shorter ones.`);
  for (const name of unreachablePhases(workflow))
    report(`phases[${names.indexOf(name)}]`, `No way leads from ${names[0] ?? ''} to ${name}.`);
  if (!areWaysKnown) return problems;
  for (const name of deadEnds(workflow))
    report(
      `phases[${names.indexOf(name)}]`,
      `${name} is a dead end: no way of forward and regression edges leads from it to a final phase.`,
    );
  return [...problems, ...endlessWays(workflow)];
}

/** A way round that tickets would take by themselves: the first forward edges of automatic phases. More work makes it no less endless. */
function endlessWays(workflow: WorkflowDefinition): FieldProblem[] {
  const { phases, edges } = workflow;
  const next = ({ name, advance }: PhaseDefinition) => (advance === 'automatic' ? nextPhase(workflow, name) : undefined);
  const ways = phases.map((phase) => phases.flatMap(({ name }, index) => (name === next(phase) ? [{ index }] : [])));
  const circle = findCycle(ways)?.map((index) => phases[index]?.name ?? '');
  if (circle === undefined) return [];
  const closing = edges.findIndex(({ from, to }) => from === circle.at(-2) && to === circle.at(-1));
  const message = `Tickets would go round by themselves without end: ${circle.join(' → ')}. Make an edge that leads back a regression, or give one of the phases \`advance: manual\`.`;
  return [{ path: `edges[${closing}]`, message }];
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
