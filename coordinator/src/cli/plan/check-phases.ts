import { type GateDefinition, softwareDelivery, type WorkflowDefinition } from '@baton/protocol';
import { findWorkflowProblems, nextPhase } from '../../workflow/workflow-rules.ts';
import { suggest } from '../yaml/nearest.ts';
import { parsePath } from '../yaml/yaml-document.ts';
import { gateOf, isSureWhen, type OutlinePhase, type PlanOutline } from './plan-outline.ts';
import type { Problems } from '../yaml/problems.ts';

/** Phases that the workflow does not have, gates that nothing can pass, and ways back that do not exist. */
export function checkPhases(
  { workflow, phases, hasAllPhases }: PlanOutline,
  validators: readonly string[] | undefined,
  problems: Problems,
): void {
  if (validators !== undefined) phases.forEach((phase) => checkValidators(phase, validators, problems));
  if (workflow === undefined) return;
  checkOwnWorkflow(workflow, problems);
  const names = workflow.phases.map(({ name }) => name);
  for (const phase of phases) {
    if (names.includes(phase.name)) {
      checkRefusal(workflow, phase, problems);
      checkUnused(workflow, phase, problems);
      checkPassable(workflow, phase, problems);
    } else problems.add(phase.path, `the workflow ${workflow.name} has no such phase${suggest(phase.name, names)}`, 'key');
  }
  // A name that is written wrongly leaves another phase empty: that is one mistake, not two.
  if (!hasAllPhases || !phases.every(({ name }) => names.includes(name))) return;
  for (const name of names) if (!phases.some((phase) => phase.name === name)) checkPassable(workflow, emptyPhase(name), problems);
}

const emptyPhase = (name: string): OutlinePhase => ({
  name,
  path: ['phases'],
  tasks: [],
  gate: undefined,
  validators: [],
  onRefused: undefined,
  advance: undefined,
  unsure: new Set(),
});

/** What contradicts itself in a workflow of the plan's own, apart from what the plan may still say of its phases. */
function checkOwnWorkflow(workflow: WorkflowDefinition, problems: Problems): void {
  if (workflow === softwareDelivery) return;
  const bare = { ...workflow, phases: workflow.phases.map(({ name, advance }) => ({ name, advance, tasks: [] })) };
  for (const { path, message } of findWorkflowProblems(bare)) problems.add(['workflow', ...parsePath(path)], message);
}

function checkRefusal(workflow: WorkflowDefinition, { name, path, tasks, onRefused, unsure }: OutlinePhase, problems: Problems): void {
  const refusedTask = tasks.find(({ template }) => template?.when === 'refused');
  const regressTo = onRefused?.regressTo;
  if (regressTo !== undefined) {
    const ways = workflow.edges.filter(({ from, kind }) => from === name && kind === 'regression').map(({ to }) => to);
    if (!ways.includes(regressTo)) {
      problems.add(
        [...path, 'onRefused', 'regressTo'],
        `no regression edge leads from ${name} to ${regressTo}${suggest(regressTo, ways, 'edges lead to')}`,
      );
    }
  }
  // What is not understood may be what is missed here.
  if (unsure.has('onRefused') || unsure.has('tasks') || !tasks.every(isSureWhen)) return;
  if (onRefused !== undefined && regressTo === undefined && refusedTask === undefined) {
    problems.add([...path, 'onRefused'], 'says neither where to go back (regressTo) nor has the phase a task with `when: refused`', 'key');
  }
  if (refusedTask !== undefined && (onRefused === undefined || regressTo !== undefined)) {
    const why =
      onRefused === undefined ? 'the phase has no onRefused, so a refusal blocks the ticket' : 'onRefused.regressTo leaves the phase';
    problems.add([...refusedTask.path, 'when'], `this task would never be made: ${why}`);
  }
}

/** The final phase, and the one where blocked tickets wait, are left by nothing: tasks and gates have no meaning there. */
function checkUnused(workflow: WorkflowDefinition, { name, path, tasks, gate }: OutlinePhase, problems: Problems): void {
  if (nextPhase(workflow, name) !== undefined) return;
  if (tasks.length > 0) problems.add([...path, 'tasks'], `no work is done in ${name}: no forward edge leaves it`, 'key');
  if (gate !== undefined) problems.add([...path, 'gate'], `${name} has no use for a gate: no forward edge leaves it`, 'key');
}

function checkValidators({ validators }: OutlinePhase, offered: readonly string[], problems: Problems): void {
  for (const { path, use } of validators) {
    if (!offered.includes(use)) problems.add(path, `no enabled plugin offers the validator ${use}${suggest(use, offered, 'they offer')}`);
  }
}

/** A phase that goes on by itself and has no tasks is judged as the ticket enters: nobody has had the time to make evidence. */
function checkPassable(workflow: WorkflowDefinition, phase: OutlinePhase, problems: Problems): void {
  const { name, path, tasks, advance, unsure } = phase;
  if (unsure.has('tasks') || unsure.has('gate') || unsure.has('advance')) return;
  if (tasks.length > 0 || advance === 'manual' || nextPhase(workflow, name) === undefined) return;
  const demands = demandsOf(gateOf(workflow, phase));
  if (demands.length === 0) return;
  const remedy = phase.gate === undefined ? `give it tasks, or \`gate: {}\`` : 'give it tasks, or a gate that asks for less';
  problems.add(path, `${name} has no tasks, but its gate asks for ${demands.join(', ')}: the ticket would be blocked; ${remedy}`, 'key');
}

function demandsOf(gate: GateDefinition | undefined): string[] {
  if (gate === undefined) return [];
  const types = [...new Set([...gate.artifacts, ...gate.criteria.map(({ artifact }) => artifact)])];
  return [...types, ...(gate.tasksMin > 0 ? [`${gate.tasksMin} completed task${gate.tasksMin === 1 ? '' : 's'}`] : [])];
}
