import type { Agent, GateResult, Lock, RecordedEvent, Task, TaskState } from '@baton/protocol';

/** What a follower of a run knows of it: folded from the ticket's events, and completed by looking now and then. */
export interface RunState {
  readonly title: string;
  readonly phases: PhaseNames;
  readonly visits: readonly VisitState[];
  readonly tasks: Readonly<Record<string, TaskView>>;
  readonly gates: readonly GateView[];
  /** Those that are waited for. */
  readonly approvals: readonly ApprovalView[];
  readonly retries: number;
  readonly locks: readonly Lock[];
  readonly agents: readonly Agent[];
  /** In ms since 1970, by the coordinator's clock. */
  readonly startedAt: number | undefined;
  readonly lastSeq: number;
}

/** The phases of a workflow as a follower sees them. */
export interface PhaseNames {
  /** All of them, in order. */
  readonly all: readonly string[];
  /** Where the ticket has arrived: nothing leaves them. */
  readonly final: readonly string[];
  /** Where a blocked ticket waits; it lies beside the way. */
  readonly blocked: string | undefined;
}

export interface VisitState {
  readonly phase: string;
  readonly number: number;
  readonly enteredAt: number;
  readonly leftAt?: number;
}

export interface TaskView {
  readonly id: string;
  readonly title: string;
  readonly phase: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly agentName?: string;
  readonly startedAt?: number;
  readonly progress?: Task['progress'];
  /** The lock it waits for, and who holds it. */
  readonly waitsFor?: { readonly key: string; readonly holders: readonly string[] };
  readonly error?: string;
}

export interface GateView {
  readonly phase: string;
  readonly visit: number;
  /** `waiting` where nothing but approvals is lacking. */
  readonly outcome: 'passed' | 'failed' | 'waiting';
  readonly reasons: readonly string[];
}

export interface ApprovalView {
  readonly id: string;
  readonly phase: string;
  readonly name: string;
  /** How many have approved, and how many must. */
  readonly given: number;
  readonly count: number;
}

export const emptyRunState = (title: string, phases: PhaseNames): RunState => ({
  title,
  phases,
  visits: [],
  tasks: {},
  gates: [],
  approvals: [],
  retries: 0,
  locks: [],
  agents: [],
  startedAt: undefined,
  lastSeq: 0,
});

/** Nothing else is lacking: the gate has not refused, it asks. */
export const waitsForApproval = ({ reasons }: Pick<GateResult, 'reasons'>): boolean =>
  reasons.length > 0 && reasons.every(({ code }) => code === 'approval_waiting');

/** The state after an event. An event that was folded in already changes nothing. */
export function foldEvent(state: RunState, event: RecordedEvent): RunState {
  if (event.seq <= state.lastSeq) return state;
  const at = Date.parse(event.at);
  const next = { ...state, lastSeq: event.seq, startedAt: state.startedAt ?? at };
  switch (event.name) {
    case 'ticket.created':
      return { ...next, visits: [{ phase: event.data.phase, number: 1, enteredAt: at }] };
    case 'ticket.transitioned':
      return { ...next, visits: [...leave(state.visits, at), { phase: event.data.to, number: event.data.visit, enteredAt: at }] };
    case 'gate.evaluated': {
      const { phase, visit, reasons } = event.data;
      const outcome = waitsForApproval(event.data) ? 'waiting' : event.data.outcome;
      return { ...next, gates: [...state.gates, { phase, visit, outcome, reasons: reasons.map(({ message }) => message) }] };
    }
    case 'approval.requested': {
      const { approvalId: id, phase, name, count } = event.data;
      return { ...next, approvals: [...state.approvals, { id, phase, name, given: 0, count }] };
    }
    case 'approval.decided': {
      const { approvalId, decision, state: now } = event.data;
      if (now !== 'waiting') return withoutApproval(next, approvalId);
      const given = decision === 'approve' ? 1 : 0;
      return { ...next, approvals: state.approvals.map((one) => (one.id === approvalId ? { ...one, given: one.given + given } : one)) };
    }
    case 'approval.cancelled':
      return withoutApproval(next, event.data.approvalId);
    case 'task.claimed': {
      const { attempt, agentName } = event.data;
      return withTask(next, event.data, { state: 'running', attempt, agentName, startedAt: at });
    }
    case 'task.deferred':
      return withTask(next, event.data, { state: 'ready', waitsFor: { key: event.data.key, holders: event.data.holders } });
    case 'task.completed':
      return withTask(next, event.data, { state: 'completed', attempt: event.data.attempt });
    case 'task.requeued':
      return {
        ...withTask(next, event.data, { state: 'ready', attempt: event.data.attempt, error: event.data.error.message }),
        retries: state.retries + 1,
      };
    case 'task.failed':
      return withTask(next, event.data, { state: 'failed', attempt: event.data.attempt, error: event.data.error.message });
    case 'task.cancelled':
      return withTask(next, event.data, { state: 'cancelled' });
    case 'task.skipped':
      return withTask(next, event.data, { state: 'skipped' });
    case 'task.reopened':
      return withTask(next, event.data, { state: 'ready' });
    default:
      return next;
  }
}

/** What was seen by looking: progress and new tasks are no events, and locks and agents belong to no ticket. */
export interface Look {
  readonly tasks: readonly Task[];
  readonly locks: readonly Lock[];
  readonly agents: readonly Agent[];
}

export function foldLook(state: RunState, { tasks, locks, agents }: Look): RunState {
  const views = tasks
    .filter((task) => !isOutrun(task, state.tasks[task.id]))
    .map((task) => [task.id, toView(task, state.tasks[task.id])] as const);
  return { ...state, tasks: { ...state.tasks, ...Object.fromEntries(views) }, locks, agents };
}

const finalStates: readonly TaskState[] = ['completed', 'failed', 'cancelled', 'skipped'];

/** While the look was on its way, an event has told the end of the task. */
const isOutrun = (task: Task, known: TaskView | undefined): boolean =>
  known !== undefined && finalStates.includes(known.state) && task.attempt <= known.attempt;

function toView(task: Task, known: TaskView | undefined): TaskView {
  const { id, title, phase, state, attempt, agentName, startedAt, progress, waitingForKey, error } = task;
  const holders = known?.waitsFor?.key === waitingForKey ? (known?.waitsFor?.holders ?? []) : [];
  return {
    id,
    title,
    phase,
    state,
    attempt,
    ...(agentName === undefined ? {} : { agentName }),
    ...(startedAt === undefined ? {} : { startedAt: Date.parse(startedAt) }),
    ...(progress === undefined ? {} : { progress }),
    ...(waitingForKey === undefined ? {} : { waitsFor: { key: waitingForKey, holders } }),
    ...(error === undefined ? {} : { error: error.message }),
  };
}

interface TaskNews {
  readonly taskId: string;
  readonly title: string;
  readonly phase: string;
}

function withTask(state: RunState, { taskId: id, title, phase }: TaskNews, change: Partial<TaskView> & Pick<TaskView, 'state'>): RunState {
  const known = state.tasks[id];
  const attempt = known?.attempt ?? 0;
  return { ...state, tasks: { ...state.tasks, [id]: { id, title, phase, attempt, ...change } } };
}

const withoutApproval = (state: RunState, id: string): RunState => ({
  ...state,
  approvals: state.approvals.filter((approval) => approval.id !== id),
});

const leave = (visits: readonly VisitState[], at: number): VisitState[] =>
  visits.map((visit, index) => (index === visits.length - 1 ? { ...visit, leftAt: at } : visit));
