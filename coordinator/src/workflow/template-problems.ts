import {
  CoordinatorError,
  type FieldProblem,
  type JsonValue,
  type PhaseDefinition,
  type TaskTemplate,
  type WorkflowDefinition,
} from '@baton/protocol';
import { normaliseKey } from '../lock/lock-key.ts';
import { findCycle } from '../task/graph-rules.ts';
import { isLiteral, listReferences, parseReference, referenceForms } from '../task/references.ts';

/**
 * What would keep a phase from making its tasks, or what they name and nobody has: references that are given twice, dependencies
 * that are not there or go round, `{{ … }}` that name nothing, keys of locks that are none. Each with the path of its field.
 */
export function findTemplateProblems(workflow: WorkflowDefinition): FieldProblem[] {
  const phases = workflow.phases.map(indexTemplates);
  return phases.flatMap((phase, index) => {
    const within = (problems: readonly FieldProblem[], number: number) =>
      problems.map(({ path, message }) => ({ path: `phases[${index}].tasks[${number}].${path}`, message }));
    return [
      ...phase.tasks.flatMap((task, number) => {
        const place = { phases, phase, task };
        return within([...duplicateOf(place), ...unknownTasks(place), ...badReferences(place), ...badLocks(task)], number);
      }),
      ...cycleOf(phase).map((message) => ({ path: `phases[${index}].tasks`, message })),
    ];
  });
}

interface Templates extends Pick<PhaseDefinition, 'name' | 'tasks'> {
  /** There may be thousands, and each may name a thousand others. */
  readonly byRef: ReadonlyMap<string | undefined, readonly TaskTemplate[]>;
  /** The first of the references, for a person. */
  readonly known: string;
}

/** How many references of a phase are told. */
const toldMax = 20;

function indexTemplates({ name, tasks }: PhaseDefinition): Templates {
  const byRef = Map.groupBy(tasks, ({ ref }) => ref);
  const refs = [...byRef.keys()].filter((ref) => ref !== undefined);
  const known = [...refs.slice(0, toldMax), ...(refs.length > toldMax ? ['…'] : [])].join(', ');
  return { name, tasks, byRef, known };
}

interface Place {
  readonly phases: readonly Templates[];
  readonly phase: Templates;
  readonly task: TaskTemplate;
}

type Occasion = Exclude<TaskTemplate['when'], 'always'>;

const occasionsOf = ({ when }: Pick<TaskTemplate, 'when'>): readonly Occasion[] => (when === 'always' ? ['first', 'return'] : [when]);

/** Of two tasks that are made together each has a reference of its own. */
function duplicateOf({ phase: { name, byRef }, task }: Place): FieldProblem[] {
  const { ref } = task;
  if (ref === undefined) return [];
  const first = byRef.get(ref)?.find((other) => occasionsOf(other).some((occasion) => occasionsOf(task).includes(occasion)));
  return first === task ? [] : [{ path: 'ref', message: `Another task of ${name} has the reference ${ref}.` }];
}

function unknownTasks({ phase, task }: Place): FieldProblem[] {
  return (['dependsOn', 'notBy'] as const).flatMap((field) =>
    task[field].flatMap((ref, index) => {
      const absence = absenceOf(ref, phase, task);
      return absence === undefined ? [] : [{ path: `${field}[${index}]`, message: `${absence}.` }];
    }),
  );
}

/**
 * Why a task of the phase is not there when another is made that names it. When a gate has refused, tasks may be there that other
 * tasks have submitted; when the phase is entered, those of its templates alone.
 */
function absenceOf(ref: string, phase: Templates, task: TaskTemplate): string | undefined {
  const named = phase.byRef.get(ref) ?? [];
  const isMade = (occasion: Occasion) => named.some((other) => occasionsOf(other).includes(occasion));
  const missing = occasionsOf(task).filter((occasion) => occasion !== 'refused' && !isMade(occasion));
  if (missing.length === 0) return undefined;
  if (named.length === 0) return lacks(phase, ref);
  const when = missing.map((occasion) => (occasion === 'first' ? 'when the phase is entered first' : 'when it is entered again'));
  return `${ref} is not made ${when.join(' or ')}, but this task is`;
}

const lacks = ({ name, known }: Templates, ref: string): string =>
  `${name} has no task ${ref}; ${known === '' ? 'none of its tasks has a `ref`' : `it has ${known}`}`;

function badReferences(place: Place): FieldProblem[] {
  const { task } = place;
  const inInput = stringsOf(task.input, 'input').flatMap(({ path, text }) =>
    listReferences(text).flatMap((reference) => {
      const fault = faultOf(reference, place);
      return fault === undefined ? [] : [{ path, message: `{{ ${reference} }} ${fault}.` }];
    }),
  );
  const inTitle = listReferences(task.title ?? '').flatMap((reference) => {
    const kind = parseReference(reference)?.kind;
    if (kind === 'ticket' || kind === 'visit') return [];
    const fault =
      kind === undefined ? noReference(reference) : 'is not known when the task is made; a title may name ticket.… and visit.… only';
    return [{ path: 'title', message: `{{ ${reference} }} ${fault}.` }];
  });
  return [...inInput, ...inTitle];
}

/** The end of a sentence about a reference that names nothing. */
function faultOf(text: string, { phases, phase, task }: Place): string | undefined {
  const reference = parseReference(text);
  if (reference === undefined) return noReference(text);
  if (reference.kind !== 'task') return undefined;
  const { ref } = reference;
  if (reference.phase === undefined) {
    const absence = absenceOf(ref, phase, task);
    return absence === undefined ? undefined : `names a task that is not there: ${absence}`;
  }
  const other = phases.find(({ name }) => name === reference.phase);
  if (other === undefined) return `names a phase that is not there; there are ${phases.map(({ name }) => name).join(', ')}`;
  // The tasks of a phase without templates are submitted by others, under references of theirs.
  if (other.tasks.length === 0 || other.byRef.has(ref)) return undefined;
  return `names a task that is not there: ${lacks(other, ref)}`;
}

const noReference = (text: string): string =>
  /^(phases\.[^.]+\.)?tasks\./.test(text)
    ? 'does not say what it takes of the task: write `.output` after the reference'
    : `is no reference; a reference is one of ${referenceForms}`;

function badLocks({ locks }: TaskTemplate): FieldProblem[] {
  return locks.flatMap(({ key }, index) => {
    if (key.includes('{{')) return [{ path: `locks[${index}].key`, message: `${key}: Nothing is filled into the key of a lock.` }];
    try {
      normaliseKey(key);
      return [];
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
      return [{ path: `locks[${index}].key`, message: `${key}: ${String(error.data['message'])}` }];
    }
  });
}

/** A way from a task back to itself, among those that are made together. */
function cycleOf({ tasks }: Templates): string[] {
  for (const occasion of ['first', 'return'] as const) {
    const made = tasks.filter((task) => occasionsOf(task).includes(occasion));
    const places = new Map(made.map(({ ref }, index) => [ref, index]));
    const cycle = findCycle(
      made.map((task) =>
        namesOf(task).flatMap((ref) => {
          const index = places.get(ref);
          return index === undefined ? [] : [{ index }];
        }),
      ),
    );
    if (cycle !== undefined) return [`The dependencies form a cycle: ${cycle.map((index) => made[index]?.ref ?? '').join(' → ')}.`];
  }
  return [];
}

/** The tasks of the same phase that a task waits for. */
const namesOf = ({ dependsOn, notBy, input }: TaskTemplate): string[] => [
  ...dependsOn,
  ...notBy,
  ...listReferences(input).flatMap((text) => {
    const reference = parseReference(text);
    return reference?.kind === 'task' && reference.phase === undefined ? [reference.ref] : [];
  }),
];

/** All strings within a value, with their places; what a literal holds is nobody's reference. */
function stringsOf(value: JsonValue, path: string): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null || isLiteral(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item: JsonValue, index) => stringsOf(item, `${path}[${index}]`));
  return Object.entries(value).flatMap(([key, item]) => stringsOf(item, `${path}.${key}`));
}
