import { CoordinatorError } from '@baton/protocol';
import { normaliseKey } from '../../lock/lock-key.ts';
import { findCycle } from './cycle.ts';
import { suggest } from '../yaml/nearest.ts';
import { isSureWhen, type OutlinePhase, type OutlineTask, type PlanOutline } from './plan-outline.ts';
import type { Problems } from '../yaml/problems.ts';
import { findReferences, type Reference, withWorkspace } from './references.ts';

/** The graph of each phase: every reference means one task, every dependency exists when it is needed, and none goes round. */
export function checkTasks({ workflow, phases, hasAllPhases }: PlanOutline, problems: Problems): void {
  const scope = { phases, hasAllPhases, known: workflow?.phases.map(({ name }) => name) };
  for (const phase of phases) {
    checkDuplicates(phase, problems);
    for (const task of phase.tasks) {
      checkDependencies(phase, task, problems);
      checkLocks(task, problems);
    }
    checkCycles(phase, problems);
    for (const { path, reference } of referencesOf(phase)) {
      const mistake = describeMistake(reference, phase, scope);
      if (mistake !== undefined) problems.add(path, `${reference.text} ${mistake}`);
    }
  }
}

type Occasion = 'first' | 'return' | 'refused';

/** A task with `when: always` is made at the first entry and at each later one; what is made on refusal joins either. */
const occasionsOf = ({ template }: OutlineTask): readonly Occasion[] => {
  const when = template?.when ?? 'always';
  return when === 'always' ? ['first', 'return'] : [when];
};

function checkDuplicates({ name, tasks }: OutlinePhase, problems: Problems): void {
  for (const [index, task] of tasks.entries()) {
    if (task.ref === undefined || !isSureWhen(task)) continue;
    const earlier = tasks
      .slice(0, index)
      .find((other) => other.ref === task.ref && isSureWhen(other) && meet(occasionsOf(other), occasionsOf(task)));
    if (earlier !== undefined)
      problems.add([...task.path, 'ref'], `another task of ${name} has the reference ${task.ref}: tasks[${tasks.indexOf(earlier)}]`);
  }
}

/** Whether two tasks can be in one visit. */
const meet = (some: readonly Occasion[], others: readonly Occasion[]): boolean =>
  some.includes('refused') || others.includes('refused') || some.some((occasion) => others.includes(occasion));

function checkDependencies({ name, tasks }: OutlinePhase, task: OutlineTask, problems: Problems): void {
  const { dependsOn = [], notBy = [] } = task.template ?? {};
  const named = [
    ...dependsOn.map((ref, index) => ({ ref, path: [...task.path, 'dependsOn', index] })),
    ...notBy.map((ref, index) => ({ ref, path: [...task.path, 'notBy', index] })),
  ];
  for (const { ref, path } of named) {
    const targets = tasks.filter((other) => other.ref === ref);
    if (targets.length === 0) {
      if (hasAllRefs(tasks)) problems.add(path, `${name} has no task ${ref}${suggest(ref, refsOf(tasks))}`);
    } else reportAbsence(task, ref, targets, (message) => problems.add(path, message));
  }
}

function reportAbsence(task: OutlineTask, ref: string, targets: readonly OutlineTask[], report: (message: string) => void): void {
  const made = targets.flatMap(occasionsOf);
  const missing = occasionsOf(task).filter((occasion) => occasion !== 'refused' && !made.includes(occasion));
  if (missing.length === 0 || ![task, ...targets].every(isSureWhen)) return;
  report(
    `${ref} is not made ${missing.map((occasion) => (occasion === 'first' ? 'when the phase is entered first' : 'when the phase is entered again')).join(' or ')}, but this task is`,
  );
}

function checkLocks({ path, template }: OutlineTask, problems: Problems): void {
  for (const [index, { key }] of (template?.locks ?? []).entries()) {
    try {
      normaliseKey(withWorkspace(key, '/workspace'));
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
      problems.add([...path, 'locks', index, 'key'], `${key}: ${String(error.data['message'])}`);
    }
  }
}

function checkCycles({ tasks }: OutlinePhase, problems: Problems): void {
  const refs = refsOf(tasks);
  const dependencies = new Map<string, string[]>();
  for (const task of tasks) {
    if (task.ref === undefined || task.template === undefined) continue;
    const implied = findReferences(task.template).flatMap(({ reference }) => (reference.kind === 'task' ? [reference.ref] : []));
    const known = [...task.template.dependsOn, ...task.template.notBy, ...implied].filter((ref) => refs.includes(ref));
    dependencies.set(task.ref, [...(dependencies.get(task.ref) ?? []), ...known]);
  }
  const cycle = findCycle(dependencies);
  const start = tasks.find(({ ref }) => ref === cycle?.[0]);
  if (cycle !== undefined && start !== undefined)
    problems.add(start.path, `the dependencies form a cycle: ${[...cycle, cycle[0]].join(' → ')}`);
}

const refsOf = (tasks: readonly OutlineTask[]): string[] => tasks.flatMap(({ ref }) => (ref === undefined ? [] : [ref]));

/** No task may be the one that is missed, under a name that is not understood. */
const hasAllRefs = (tasks: readonly OutlineTask[]): boolean => tasks.every(({ ref, unsure }) => ref !== undefined || !unsure.has('ref'));

const referencesOf = ({ tasks }: OutlinePhase) =>
  tasks.flatMap(({ path, template }) => {
    if (template === undefined) return [];
    return findReferences(template).map((found) => ({ path: [...path, ...found.path], reference: found.reference }));
  });

interface Scope {
  readonly phases: readonly OutlinePhase[];
  /** The phases of the workflow, where that is understood. */
  readonly known: readonly string[] | undefined;
  /** The plan's phases are understood, all of them. */
  readonly hasAllPhases: boolean;
}

function describeMistake(reference: Reference, { name, tasks }: OutlinePhase, { phases, known, hasAllPhases }: Scope): string | undefined {
  switch (reference.kind) {
    case 'value':
      return undefined;
    case 'task':
      return describeMissing(reference.ref, name, tasks);
    case 'phase task': {
      if (known !== undefined && !known.includes(reference.phase))
        return `names a phase that is not there${suggest(reference.phase, known)}`;
      const named = phases.find((phase) => phase.name === reference.phase);
      if (named === undefined ? !hasAllPhases : named.unsure.has('tasks')) return undefined;
      return describeMissing(reference.ref, reference.phase, named?.tasks ?? []);
    }
    case 'unknown':
      return reference.hint;
  }
}

function describeMissing(ref: string, phase: string, tasks: readonly OutlineTask[]): string | undefined {
  const refs = refsOf(tasks);
  return refs.includes(ref) || !hasAllRefs(tasks) ? undefined : `names a task that ${phase} does not have${suggest(ref, refs)}`;
}
