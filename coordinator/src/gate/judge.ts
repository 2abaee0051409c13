import type { ArtifactWithContent, GateDefinition, GateReason, Ticket, Verdict } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { listAttempts } from '../task/attempt.store.ts';
import { listTasks } from '../task/task.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { toTicket } from '../ticket/ticket.store.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { type Evidence, isOpen, reasonsOf, validatorsOf } from './gate-rules.ts';

export interface JudgeParts {
  readonly em: EntityManager;
  readonly plugins: Pick<PluginHost, 'validate'>;
}

/** A gate, and all that its validators are shown. */
export interface Case extends Evidence {
  readonly gate: GateDefinition | undefined;
  readonly ticket: TicketRow;
  /** Read when a validator is to see them. */
  readonly readContents: () => Promise<ArtifactWithContent[]>;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** Why it holds the gate. */
  readonly reasons: readonly GateReason[];
}

/** How many tasks of a visit validators are told of. */
const tasksMax = 1_000;

/** Asks the validators of a gate, side by side. Runs outside of any transaction and writes nothing. */
export async function judge({ em, plugins }: JudgeParts, { gate, ticket, ...evidence }: Case, signal?: AbortSignal): Promise<Judgement[]> {
  // Validators judge finished work; while tasks are open they could only say what is known already.
  if (gate === undefined || evidence.tasks.some(isOpen)) return [];
  const validators = validatorsOf(gate, evidence);
  if (validators.length === 0) return [];

  const artifacts = await evidence.readContents();
  const facts = await gatherFacts(em, ticket, evidence);
  return Promise.all(
    validators.map(async (validator) => {
      const { use, config, requirement, timeoutMs } = validator;
      const { outcome, findings, durationMs } = await plugins.validate({ use, config, artifacts, facts, timeoutMs, signal });
      const verdict: Verdict = { validator: use, requirement, outcome, findings, durationMs };
      return { verdict, reasons: reasonsOf(verdict, validator) };
    }),
  );
}

async function gatherFacts(em: EntityManager, ticket: TicketRow, evidence: Evidence) {
  const workflow = await getWorkflow(em, ticket.workflowId);
  const { projectId, id: ticketId, phase, visitId, visitNumber: visit } = ticket;
  const { tasks } = await listTasks(em, { projectId, ticketId, phase, limit: tasksMax });
  const states = new Map(evidence.tasks.map(({ id, state }) => [id, state]));
  return {
    ticket: toTicket(ticket, workflow) satisfies Ticket,
    phase,
    visit,
    tasks: tasks.filter((task) => task.visit === visit).map((task) => ({ ...task, state: states.get(task.id) ?? task.state })),
    attempts: await listAttempts(em, visitId),
  };
}
