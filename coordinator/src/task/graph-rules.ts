import { CoordinatorError, type NewTask } from '@baton/protocol';
import { listReferences, parseReference, referenceForms } from './references.ts';

/** What a task depends on: an index into the same submission, or the id of a task that is there already. */
export type Dependency = { readonly index: number } | { readonly id: string };

/** Finds a task of the same visit by reference, or of the same ticket by id. */
export type FindExisting = (refOrId: string) => string | undefined;

/**
 * The dependencies of each task of a submission: those that are named, and those that follow from references to results.
 * @throws CoordinatorError `reference_duplicate`, `dependency_unknown`, `dependency_cycle` (with the path), `input_unresolved`
 */
export function resolveDependencies(tasks: readonly NewTask[], findExisting: FindExisting): Dependency[][] {
  const byRef = indexRefs(tasks);
  const dependencies = tasks.map((task, index) => {
    const named = [...task.dependsOn, ...refsInInput(task, index)];
    const found = [...new Set(named)].map((name): Dependency => {
      const within = byRef.get(name);
      if (within !== undefined) return { index: within };
      const id = findExisting(name);
      if (id === undefined)
        throw new CoordinatorError('dependency_unknown', {
          task: nameOf(task, index),
          dependsOn: name,
          fields: [{ path: `tasks[${index}].dependsOn`, message: `There is no task ${name} in this phase.` }],
        });
      return { id };
    });
    // Named by reference and by id it is still one.
    return [...new Map(found.map((dependency) => [JSON.stringify(dependency), dependency])).values()];
  });
  const cycle = findCycle(dependencies);
  if (cycle !== undefined) {
    const path = cycle.map((index) => nameOf(tasks[index], index));
    throw new CoordinatorError('dependency_cycle', { path, message: `${path.join(' → ')}.` });
  }
  return dependencies;
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

/** The tasks of the same phase whose results an input refers to. */
export function refsInInput(task: Pick<NewTask, 'input'>, index: number): string[] {
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
export function findCycle(dependencies: readonly (readonly Dependency[])[]): number[] | undefined {
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
