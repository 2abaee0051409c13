import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, RecordedEvent, Ticket, WorkflowDefinition } from '@baton/protocol';
import type { Connection } from '@baton/sdk/connection';
import { findPhase, isFinal, nextPhase } from '../../workflow/workflow-rules.ts';
import { collectPages } from '../list.ts';
import { describeGap, findGaps, isStuck } from './capability-gap.ts';
import { createHindranceWatch } from './hindrance-watch.ts';
import type { RunOutcome } from './run-record.ts';
import { emptyRunState, foldEvent, foldLook, type Look, type PhaseNames } from './run-state.ts';
import type { RunView } from './run-view.ts';

export interface Ending {
  readonly outcome: RunOutcome;
  readonly reason?: string | undefined;
}

export interface FollowOptions {
  readonly ticket: Pick<Ticket, 'id' | 'title' | 'workflow'>;
  readonly view: RunView;
  /** Agents that are being started and will register in a moment. */
  readonly startingAgents: (registered: readonly string[]) => readonly string[];
  readonly signal: AbortSignal;
}

/** How often to look at what is no event: progress, locks, agents. */
const lookMs = 1_000;
/** How long nothing at all may be possible before the run gives up: an agent may still be on its way. */
const stuckMs = 10_000;
/** How long the last events may take after the ticket has ended. */
const lastEventsMs = 2_000;

/** How long a question may take that somebody waits for who wants to leave. */
const askMs = 1_000;

/** Follows a ticket until it is closed or blocked, nothing can go on, or the signal aborts. */
export async function followTicket(connection: Connection, options: FollowOptions): Promise<Ending> {
  const { ticket, view, signal } = options;
  const { client } = connection;
  const { definition: workflow } = await client.workflow.get(ticket.workflow);
  let state = emptyRunState(ticket.title, namesOf(workflow));
  let moved = Promise.withResolvers<void>();

  const stopListening = connection.onNotification('event/published', ({ events }) => {
    // Their shape by name is the contract's, and the coordinator has checked it.
    for (const event of events as unknown as readonly RecordedEvent[]) {
      if (event.seq <= state.lastSeq) continue;
      state = foldEvent(state, event);
      view.event(event, state);
      if (event.name === 'ticket.transitioned') moved.resolve();
    }
  });
  const lost = Promise.withResolvers<Ending>();
  connection.onClose(({ willReconnect, reason }) => {
    if (signal.aborted) return;
    if (willReconnect) view.say('The connection to the coordinator is lost; trying again.');
    else lost.resolve({ outcome: 'failed', reason: `the connection to the coordinator has ended: ${reason}` });
  });

  const look = async (): Promise<Look & { readonly ticket: Ticket }> => {
    const [now, tasks, { locks }, { agents }] = await Promise.all([
      client.ticket.get({ ticketId: ticket.id }),
      collectPages(async (page) => {
        const { tasks: items, next } = await client.task.list({ ...page, ticketId: ticket.id, states: ['blocked', 'ready', 'running'] });
        return { items, next };
      }),
      client.lock.list({ limit: 1_000 }),
      client.agent.list({ limit: 1_000 }),
    ]);
    return { ticket: now, tasks, locks, agents };
  };

  const watchTeam = createTeamWatch(options, workflow);
  const watchHindrance = createHindranceWatch();
  async function watch(): Promise<Ending> {
    await connection.onOpen(async () => void (await client.event.subscribe({ after: state.lastSeq, ticketId: ticket.id })));
    for (;;) {
      moved = Promise.withResolvers();
      const seen = await look();
      state = foldLook(state, seen);
      view.update(state);
      const hindrance = watchHindrance(seen);
      const hindered: Ending | undefined = hindrance === undefined ? undefined : { outcome: 'blocked', reason: hindrance };
      const ending = endingOf(seen.ticket) ?? hindered ?? watchTeam(seen);
      if (ending !== undefined) {
        const isShown = () => state.visits.at(-1)?.number === seen.ticket.visit;
        for (const until = Date.now() + lastEventsMs; !isShown() && Date.now() < until;) await sleep(20);
        return ending;
      }
      await Promise.race([moved.promise, sleep(lookMs)]);
    }
  }

  const interrupted = Promise.withResolvers<Ending>();
  // Asked for, since the events that tell of the last claims may still be on their way.
  const countRunning = async (): Promise<number> => {
    try {
      const asked = { ticketId: ticket.id, states: ['running' as const], limit: 1_000 };
      return (await client.task.list(asked, { signal: AbortSignal.timeout(askMs) })).tasks.length;
    } catch {
      return Object.values(state.tasks).filter((task) => task.state === 'running').length;
    }
  };
  const interrupt = () =>
    void countRunning().then((running) => {
      view.say(describeStop(running));
      interrupted.resolve({ outcome: 'interrupted', reason: 'it was interrupted' });
    });
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  try {
    return await Promise.race([watch(), lost.promise, interrupted.promise]);
  } finally {
    stopListening();
    signal.removeEventListener('abort', interrupt);
  }
}

const describeStop = (running: number): string =>
  running === 0
    ? 'stopping'
    : `stopping; ${running === 1 ? 'the running task has' : `${running} running tasks have`} a few seconds to finish, a second Ctrl-C does not wait`;

const namesOf = (workflow: WorkflowDefinition): PhaseNames => {
  const all = workflow.phases.map(({ name }) => name);
  return { all, final: all.filter((name) => isFinal(workflow, name)), blocked: workflow.blockedPhase };
};

/** How a run ends whose ticket stands like this; undefined while it goes on. */
export function endingOf({ state, phase, blockedReason }: Pick<Ticket, 'state' | 'phase' | 'blockedReason'>): Ending | undefined {
  if (state === 'closed') return { outcome: 'done' };
  if (state === 'blocked') return { outcome: 'blocked', reason: blockedReason ?? `it waits in ${phase}` };
  if (state === 'cancelled') return { outcome: 'failed', reason: `the ticket was cancelled in ${phase}` };
  return undefined;
}

/** How a ticket ends whose agents have stopped: the last that they did may have been all that was left. */
export async function settleTicket(client: Client, ticketId: string): Promise<Ending | undefined> {
  for (const until = Date.now() + lastEventsMs; ; await sleep(50)) {
    const ending = endingOf(await client.ticket.get({ ticketId }));
    if (ending !== undefined || Date.now() > until) return ending;
    const { tasks } = await client.task.list({ ticketId, states: ['blocked', 'ready', 'running'], limit: 1 });
    if (tasks.length > 0) return undefined;
  }
}

/** Speaks up for tasks that wait for an agent which is not there, each once, and gives up where nothing else can go on. */
function createTeamWatch({ view, startingAgents }: FollowOptions, workflow: WorkflowDefinition) {
  const said = new Set<string>();
  const sayOnce = (key: string, text: string) => {
    if (!said.has(key)) view.say(text);
    said.add(key);
  };
  let stuckSince: number | undefined;

  return ({ ticket, ...seen }: Look & { readonly ticket: Ticket }): Ending | undefined => {
    const isManual = findPhase(workflow, ticket.phase)?.advance === 'manual' && nextPhase(workflow, ticket.phase) !== undefined;
    if (seen.tasks.length === 0 && isManual) {
      sayOnce(`${ticket.visit}`, `${ticket.phase} waits for someone to move the ticket on: the plan says \`advance: manual\``);
    }
    const areAllThere = startingAgents(seen.agents.map(({ name }) => name)).length === 0;
    const gaps = areAllThere ? findGaps(seen) : [];
    for (const gap of gaps) sayOnce(gap.taskId, describeGap(gap));

    stuckSince = gaps.length > 0 && isStuck(seen) ? (stuckSince ?? performance.now()) : undefined;
    const [first] = gaps;
    if (first === undefined || stuckSince === undefined || performance.now() - stuckSince < stuckMs) return undefined;
    return { outcome: 'failed', reason: `nothing can go on: ${describeGap(first)}` };
  };
}
