import type { EdgeKind, PhaseDefinition, Ticket, WorkflowDefinition } from '@baton/protocol';

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
