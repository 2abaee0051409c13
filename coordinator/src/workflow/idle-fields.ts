import type { FieldProblem, PhaseDefinition, TaskTemplate } from '@baton/protocol';

/** Where a phase lies in its workflow. */
interface Lie {
  /** A forward edge leaves it. */
  readonly isLeft: boolean;
  /** Blocked tickets wait in it. */
  readonly isBlocked: boolean;
  /** An edge leads to it and none leaves it: a ticket that enters it is over. */
  readonly isFinal: boolean;
}

type Said = Pick<PhaseDefinition, 'name' | 'advance' | 'onRefused' | 'gate'> & { readonly tasks: readonly Pick<TaskTemplate, 'when'>[] };

/** What is said of a phase and could never have an effect, each with the path of its field below the phase. */
export function findIdleFields(phase: Said, lie: Lie): FieldProblem[] {
  const { name, gate, advance } = phase;
  const problems = [...idleRefusal(phase), ...idleTasks(phase, lie)];
  const report = (path: string, message: string) => void problems.push({ path, message });
  if (!lie.isLeft && gate !== undefined)
    report('gate', `No forward edge leaves ${name}, so its gate is never judged: give it to the phase before.`);
  if (!lie.isLeft && advance === 'automatic')
    report('advance', `No forward edge leaves ${name}, so tickets go nowhere by themselves from here: leave it out.`);
  if (gate?.onApprovalRefused !== undefined && (gate.approvals ?? []).length === 0)
    report('gate.onApprovalRefused', 'The gate asks for no approval: name some in `approvals`, or leave it out.');
  return problems;
}

function idleRefusal({ name, gate, advance, onRefused, tasks }: Said): FieldProblem[] {
  if (onRefused === undefined) return [];
  const faults = [
    ...(advance === 'automatic' ? [] : ['It is looked at only with `advance: automatic`: add that, or leave it out.']),
    ...(gate === undefined ? [`${name} has no gate that could refuse: give it one, or leave it out.`] : []),
    ...(onRefused.regressTo === undefined && !tasks.some(({ when }) => when === 'refused')
      ? ['Name a phase in regressTo, or give tasks with `when: refused`.']
      : []),
  ];
  return faults.map((message) => ({ path: 'onRefused', message }));
}

function idleTasks({ name, onRefused, tasks }: Said, { isBlocked, isFinal }: Lie): FieldProblem[] {
  if (isBlocked && tasks.length > 0)
    return [{ path: 'tasks', message: `Tickets wait in ${name}, and no work is done there: give the tasks to another phase.` }];
  if (isFinal && tasks.length > 0)
    return [
      {
        path: 'tasks',
        message: `Tickets are over when they enter ${name}, and nothing waits for work there: give the tasks to the phase before.`,
      },
    ];
  if (onRefused !== undefined && onRefused.regressTo === undefined) return [];
  const why =
    onRefused === undefined
      ? 'the phase has no onRefused, so that a refusal blocks the ticket: give it `onRefused: {}`'
      : 'onRefused.regressTo leaves the phase: make it in the phase that this leads to, with `when: return`';
  return tasks.flatMap(({ when }, number) =>
    when === 'refused' ? [{ path: `tasks[${number}].when`, message: `This task would never be made, since ${why}.` }] : [],
  );
}
