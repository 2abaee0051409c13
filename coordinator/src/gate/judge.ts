import type { Artifact, ArtifactWithContent, GateDefinition, GateReason, GateValidator, Ticket, Verdict } from '@baton/protocol';
import type { AttemptFacts, GateFacts } from '@baton/sdk/plugin';
import type { PluginHost } from '@baton/sdk/plugin/host';
import type { EntityManager } from '../db/orm.ts';
import { listTasksOfVisit } from '../task/task.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { toTicket } from '../ticket/ticket.store.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { type Evidence, reasonsOf, validatorsOf } from './gate-rules.ts';

export interface JudgeParts {
  readonly em: EntityManager;
  readonly plugins: Pick<PluginHost, 'validate' | 'refuseEvidence' | 'list'>;
}

/** A gate, and all that its validators are shown. */
export interface Case extends Evidence {
  readonly gate: GateDefinition | undefined;
  readonly ticket: TicketRow;
  /** Read when a validator is to see them. */
  readonly readContents: () => Promise<ArtifactWithContent[]>;
  /** What all that is shown takes, in bytes of JSON: nothing is read where that is too much. */
  readonly shownBytes: number;
  readonly listAttempts: () => Promise<AttemptFacts[]>;
  /** What one token stored and another has replaced: the last of each token. */
  readonly listReplaced: () => Promise<Artifact[]>;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** Why it holds the gate. */
  readonly reasons: readonly GateReason[];
  /** Whether it counts, and its plugin runs programs, which look at what Baton does not know. */
  readonly looksOutside: boolean;
}

/** Asks the validators of a gate about what is there, side by side. Runs outside of any transaction and writes nothing. */
export async function judge({ em, plugins }: JudgeParts, { gate, ticket, ...evidence }: Case, signal?: AbortSignal): Promise<Judgement[]> {
  if (gate === undefined) return [];
  const validators = validatorsOf(gate, evidence);
  if (validators.length === 0) return [];

  const refused = plugins.refuseEvidence(evidence.shownBytes);
  const ask = refused === undefined ? await showAll({ em, plugins }, ticket, evidence, signal) : async () => refused;
  const runsPrograms = new Set(plugins.list().flatMap((plugin) => (plugin.permissions.includes('programs') ? plugin.validators : [])));
  return Promise.all(
    validators.map(async (validator) => {
      const { use, requirement } = validator;
      const { outcome, findings, durationMs } = await ask(validator);
      const verdict: Verdict = { validator: use, requirement, outcome, findings, durationMs };
      return { verdict, reasons: reasonsOf(verdict, validator), looksOutside: requirement === 'required' && runsPrograms.has(use) };
    }),
  );
}

type Seen = Evidence & Pick<Case, 'readContents' | 'listAttempts' | 'listReplaced'>;

/** Reads what is there, and asks validators who are all shown the same. */
async function showAll({ em, plugins }: JudgeParts, ticket: TicketRow, evidence: Seen, signal: AbortSignal | undefined) {
  const [artifacts, facts] = await Promise.all([evidence.readContents(), gatherFacts(em, ticket, evidence)]);
  return ({ use, config, timeoutMs }: GateValidator) =>
    plugins.validate({ use, config, artifacts, facts, timeoutMs, signal, group: ticket.projectId });
}

async function gatherFacts(em: EntityManager, ticket: TicketRow, { tasks: judged, ...evidence }: Seen): Promise<GateFacts> {
  const workflow = await getWorkflow(em, ticket.workflowId);
  const { phase, visitId, visitNumber: visit } = ticket;
  const [tasks, attempts, replaced] = await Promise.all([listTasksOfVisit(em, visitId), evidence.listAttempts(), evidence.listReplaced()]);
  const states = new Map(judged.map(({ id, state }) => [id, state]));
  return {
    ticket: toTicket(ticket, workflow) satisfies Ticket,
    phase,
    visit,
    tasks: tasks.map((task) => ({ ...task, state: states.get(task.id) ?? task.state })),
    attempts,
    replaced,
  };
}
