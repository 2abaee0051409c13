import { CoordinatorError, type NewTask } from '@baton/protocol';
import { listReferences, parseReference, referenceForms } from './references.ts';

/** A task that another depends on: an index into the same submission, or the id of a task that is there already. */
type Target = { readonly index: number } | { readonly id: string };

export type Dependency = Target & {
  /** Whoever did it may not do the task that depends on it. */
  readonly excludesAuthor?: true;
};

/** What may be meant by a name that is none. */
const remedies = {
  dependsOn: ': name one by its `ref`, or by its id',
  notBy: ': `notBy` names tasks, by their `ref` or id, not agents; whoever did them may not do this one',
} as const;

/** Finds a task of the same visit, by reference or by id. */
export type FindExisting = (refOrId: string) => string | undefined;

/**
 * The dependencies of each task of a submission: those that are named, those whose authors are excluded, and those that follow
 * from references to results.
 * @throws CoordinatorError `reference_duplicate`, `dependency_unknown`, `dependency_cycle` (with the path), `input_unresolved`
 */
export function resolveDependencies(tasks: readonly NewTask[], findExisting: FindExisting): Dependency[][] {
  const byRef = indexRefs(tasks);
  const dependencies = tasks.map((task, index) => {
    const find = (name: string, field: 'dependsOn' | 'notBy'): Target => {
      const within = byRef.get(name);
      if (within !== undefined) return { index: within };
      const id = findExisting(name);
      if (id !== undefined) return { id };
      throw new CoordinatorError('dependency_unknown', {
        task: nameOf(task, index),
        dependsOn: name,
        fields: [{ path: `tasks[${index}].${field}`, message: `There is no task ${name} in this phase${remedies[field]}.` }],
      });
    };
    // Named by reference and by id, or in several fields, it is still one.
    const found = new Map<number | string, Dependency>();
    const keyOf = (target: Target) => ('index' in target ? target.index : target.id);
    for (const name of [...task.dependsOn, ...refsInInput(task, index)]) {
      const target = find(name, 'dependsOn');
      found.set(keyOf(target), target);
    }
    for (const name of task.notBy) {
      const target = find(name, 'notBy');
      found.set(keyOf(target), { ...target, excludesAuthor: true });
    }
    return [...found.values()];
  });
  const cycle = findCycle(dependencies);
  if (cycle !== undefined)
    throw cycleError(
      cycle.length - 1,
      cycle.slice(0, pathMax).map((index) => nameOf(tasks[index], index)),
    );
  return dependencies;
}

/** Of a longer cycle the path is told as far as here: an answer has to fit into what a connection may hold back. */
const pathMax = 5_001;
/** So much of a path a person reads. */
const pathShown = 20;

function cycleError(length: number, path: readonly string[]): CoordinatorError {
  const shown = path.slice(0, pathShown).join(' → ');
  const message = path.length > pathShown ? `${shown} → …, ${length} tasks in all.` : `${shown}.`;
  return new CoordinatorError('dependency_cycle', { path, length, message });
}

const nameOf = (task: NewTask | undefined, index: number): string => task?.ref ?? `tasks[${index}]`;

function indexRefs(tasks: readonly NewTask[]): Map<string, number> {
  const byRef = new Map<string, number>();
  for (const [index, { ref }] of tasks.entries()) {
    if (ref === undefined) continue;
    if (byRef.has(ref))
      throw new CoordinatorError('reference_duplicate', {
        ref,
        fields: [{ path: `tasks[${index}].ref`, message: `${ref} is the reference of an earlier task.` }],
      });
    byRef.set(ref, index);
  }
  return byRef;
}

/** What a submission may mean of the tasks that are there already: by name, and its own references, which must be new. */
export const namesIn = (tasks: readonly NewTask[]): string[] => [
  ...new Set(
    tasks.flatMap((task, index) => [
      ...task.dependsOn,
      ...task.notBy,
      ...refsInInput(task, index),
      ...(task.ref === undefined ? [] : [task.ref]),
    ]),
  ),
];

/** The tasks of the same phase whose results an input refers to. */
function refsInInput(task: Pick<NewTask, 'input'>, index: number): string[] {
  return listReferences(task.input).flatMap((text) => {
    const reference = parseReference(text);
    if (reference === undefined) {
      throw new CoordinatorError('input_unresolved', {
        reference: text,
        fields: [
          {
            path: `tasks[${index}].input`,
            message: `{{ ${text} }} is no reference; a reference is one of ${referenceForms}.`,
          },
        ],
      });
    }
    return reference.kind === 'task' && reference.phase === undefined ? [reference.ref] : [];
  });
}

/** A cycle as indices, its first again at the end; undefined where there is none. Iterative, since graphs may be deep. */
export function findCycle(dependencies: readonly (readonly Target[])[]): number[] | undefined {
  const done = new Set<number>();
  for (const start of dependencies.keys()) {
    const path: { index: number; rest: number[] }[] = [];
    const onPath = new Set<number>();
    const enter = (index: number) => {
      onPath.add(index);
      path.push({ index, rest: (dependencies[index] ?? []).flatMap((dependency) => ('index' in dependency ? [dependency.index] : [])) });
    };
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        done.add(top.index);
        onPath.delete(top.index);
        path.pop();
      } else if (onPath.has(next)) {
        const indices = path.map(({ index }) => index);
        return [...indices.slice(indices.indexOf(next)), next];
      } else if (!done.has(next)) enter(next);
    }
  }
  return undefined;
}
