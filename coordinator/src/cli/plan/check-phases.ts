import { type GateDefinition, softwareDelivery, type WorkflowDefinition } from '@baton/protocol';
import { listUses, listWritten } from '../../workflow/gate-contents.ts';
import { findIdleFields } from '../../workflow/idle-fields.ts';
import { findWorkflowProblems } from '../../workflow/workflow-problems.ts';
import { nextPhase } from '../../workflow/workflow-rules.ts';
import { findOfferProblems, lowerFirst } from '../workflow/check-offers.ts';
import { isSure } from '../workflow/check-workflow.ts';
import { suggest } from '../yaml/nearest.ts';
import { formatPath, parsePath } from '../yaml/yaml-document.ts';
import type { Offered } from './read-offered.ts';
import { gateOf, isSureWhen, type OutlinePhase, type PlanOutline } from './plan-outline.ts';
import type { Problems } from '../yaml/problems.ts';

/** Phases that the workflow does not have, gates that nothing can pass, and ways back that do not exist. */
export async function checkPhases(outline: PlanOutline, offered: Offered | undefined, problems: Problems): Promise<void> {
  const { workflow, phases, hasAllPhases } = outline;
  const gates = phases.map(({ writtenGate: { path, value } }) => ({ path: formatPath(path), gate: value }));
  const written = listWritten(gates, workflow?.artifactTypes);
  const schemas = written.schemas.map(({ path, schema }) => ({ path: `workflow.${path}`, schema }));
  for (const { path, message } of await findOfferProblems(gates, { ...written, schemas }, offered)) problems.add(parsePath(path), message);
  if (workflow === undefined) return;
  checkOwnWorkflow(outline, problems);
  const names = workflow.phases.map(({ name }) => name);
  for (const phase of phases) {
    if (names.includes(phase.name)) {
      checkWayBack(workflow, phase, problems);
      checkUnused(workflow, phase, problems);
      checkPassable(workflow, phase, problems);
      if (offered !== undefined) checkInherited(workflow, { phase, offered: offered.validators }, problems);
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
  writtenGate: { path: ['phases'], value: undefined },
  onRefused: undefined,
  advance: undefined,
  unsure: new Set(),
});

/** As compiled: a phase goes on by itself where it can, unless somebody says otherwise. */
const advanceOf = (workflow: WorkflowDefinition, { name, advance }: Pick<OutlinePhase, 'name' | 'advance'>): 'manual' | 'automatic' =>
  advance ?? (nextPhase(workflow, name) === undefined ? 'manual' : 'automatic');

/** What contradicts itself in a workflow of the plan's own, apart from what the plan may still say of its phases. */
function checkOwnWorkflow({ workflow, phases }: PlanOutline, problems: Problems): void {
  if (workflow === undefined || workflow === softwareDelivery) return;
  const bare = workflow.phases.map(({ name }) => {
    const { advance, unsure } = phases.find((phase) => phase.name === name) ?? emptyPhase(name);
    const isLeft = nextPhase(workflow, name) !== undefined;
    return { name, tasks: [], advance: isLeft && !unsure.has('advance') ? advanceOf(workflow, { name, advance }) : ('manual' as const) };
  });
  for (const { path, message } of findWorkflowProblems({ ...workflow, phases: bare }))
    problems.add(['workflow', ...parsePath(path)], message);
}

function checkWayBack(workflow: WorkflowDefinition, { name, path, onRefused }: OutlinePhase, problems: Problems): void {
  const to = onRefused?.regressTo;
  const ways = workflow.edges.filter(({ from, kind }) => from === name && kind === 'regression').map((edge) => edge.to);
  if (to === undefined || ways.includes(to)) return;
  problems.add([...path, 'onRefused', 'regressTo'], `no regression edge leads from ${name} to ${to}${suggest(to, ways, 'edges lead to')}`);
}

/** What could never have an effect. The final phase, and the one where blocked tickets wait, are left by nothing: no work is done there. */
function checkUnused(workflow: WorkflowDefinition, phase: OutlinePhase, problems: Problems): void {
  const { name, path, tasks } = phase;
  const isLeft = nextPhase(workflow, name) !== undefined;
  if (!isLeft && tasks.length > 0) problems.add([...path, 'tasks'], `no work is done in ${name}: no forward edge leaves it`, 'key');
  const said = {
    ...phase,
    gate: gateOf(workflow, phase),
    advance: advanceOf(workflow, phase),
    tasks: tasks.map(({ template }) => ({ when: template?.when ?? 'always' })),
  };
  const unsure = new Set([...phase.unsure, ...(tasks.every(isSureWhen) ? [] : ['tasks'])]);
  for (const { path: field, message } of findIdleFields(said, { isLeft, isBlocked: false, isFinal: false })) {
    const [first, number, ...rest] = parsePath(field);
    const task = first === 'tasks' ? tasks[Number(number)] : undefined;
    if (isSure(field, unsure))
      problems.add(
        task === undefined ? [...path, ...parsePath(field)] : [...task.path, ...rest],
        lowerFirst(message),
        task === undefined ? 'key' : 'value',
      );
  }
}

interface Inheriting {
  readonly phase: OutlinePhase;
  readonly offered: readonly string[];
}

/** A phase whose gate is that of the built-in workflow asks for what that asks for. */
function checkInherited(
  workflow: WorkflowDefinition,
  { phase: { name, path, writtenGate, unsure }, offered }: Inheriting,
  problems: Problems,
): void {
  if (writtenGate.value !== undefined || unsure.has('gate')) return;
  const own = workflow.phases.find((phase) => phase.name === name)?.gate;
  const use = listUses(own).find((each) => !offered.includes(each.use))?.use;
  if (use === undefined) return;
  const message = `the gate of ${name} in ${workflow.name} asks the validator ${use}, which no enabled plugin offers; give the phase a gate of its own`;
  problems.add(path, message, 'key');
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
