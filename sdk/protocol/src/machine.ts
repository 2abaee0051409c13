/** A state machine as a table: every arrow that exists is a row, every other step is refused. */
export interface Machine {
  readonly initial: string;
  readonly states: readonly string[];
  readonly steps: Readonly<Record<string, { readonly from: readonly string[]; readonly to: string }>>;
}

export type StateOf<M extends Machine> = M['states'][number];
export type StepOf<M extends Machine> = keyof M['steps'] & string;

/** The state that `step` leads to, or undefined where the table has no such arrow. */
export function next<M extends Machine>(machine: M, state: StateOf<M>, step: StepOf<M>): StateOf<M> | undefined {
  const arrow = machine.steps[step];
  return arrow?.from.includes(state) ? arrow.to : undefined;
}

/** The states that a step may be taken from. */
export const sourcesOf = <M extends Machine>(machine: M, step: StepOf<M>): readonly StateOf<M>[] => machine.steps[step]?.from ?? [];

/** The states that no step leaves. */
export const finalStates = <M extends Machine>(machine: M): readonly StateOf<M>[] => {
  const left = new Set(Object.values(machine.steps).flatMap(({ from }) => from));
  return machine.states.filter((state) => !left.has(state));
};

export function toMermaid(machine: Machine): string {
  const arrows = Object.entries(machine.steps).flatMap(([step, { from, to }]) => from.map((state) => `  ${state} --> ${to}: ${step}`));
  return ['stateDiagram-v2', `  [*] --> ${machine.initial}`, ...arrows].join('\n');
}
