import { type Artifact, CoordinatorError, type GateExplanation, type JudgedArtifact, type Role } from '@baton/protocol';
import type { AttemptFacts } from '@baton/sdk/plugin';
import type { ArtifactSchemas } from '../artifact/artifact-schemas.ts';
import type { ArtifactLimits } from '../artifact/artifact.service.ts';
import { listCurrentArtifacts, listReplacedArtifacts, readContents, toArtifact } from '../artifact/artifact.store.ts';
import { listAttempts } from '../task/attempt.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { whyOver, whyUnjudged } from '../ticket/ticket-rules.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { type AssumedArtifact, assumeEvidence, findReplaced, measureContents } from './assumed-evidence.ts';
import { findMissing, isOpen } from './gate-rules.ts';
import type { GateParts } from './gate.service.ts';
import { judge } from './judge.ts';
import { type Judgeable, readEvidence } from './judgeable.ts';
import { takePlace } from './judgement-place.ts';

export interface ExplainParts extends GateParts {
  readonly schemas: ArtifactSchemas;
  readonly limits: ArtifactLimits;
}

export interface Assumption {
  /** Tasks that are taken for completed. */
  readonly completed: readonly string[];
  /** Evidence that is taken for stored. */
  readonly artifacts: readonly AssumedArtifact[];
}

export interface Question {
  readonly projectId: string;
  readonly ticketId: string;
  /** Who asks, and is taken for the author of what is assumed. */
  readonly author: string;
  /** With which token, by its name, and its role. */
  readonly token: string;
  readonly role: Role;
  readonly assume: Assumption;
}

/**
 * As `validateGate`, of what is there and of what is assumed besides; nothing is recorded and nobody is asked for an approval.
 * What could not be stored is refused as it would be then.
 * @throws CoordinatorError `phase_closed`, `limit_exceeded`, `artifact_invalid`, `task_not_found`, `task_state_refused`, `overloaded`
 */
export async function explainGate(
  { db, plugins, turns, schemas, limits }: ExplainParts,
  { projectId, ticketId, author, token, role, assume }: Question,
  signal?: AbortSignal,
): Promise<GateExplanation> {
  using place = await takePlace({ em: db.em.fork(), turns }, { projectId, ticketId, purpose: 'explanation' }, signal);
  // Read when it is its turn: it may have changed meanwhile.
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  refuseOver(ticket, assume);
  const stored = await readEvidence(em, plugins, ticket);
  refuseTasks(stored, ticket, assume);
  const fault = await schemas.findFault(
    ticketId,
    assume.artifacts.map(({ artifact }) => artifact),
  );
  if (fault !== undefined) throw fault;

  const attempts = await listAttempts(em, ticket.visitId);
  const current = (await listCurrentArtifacts(em, ticket.visitId)).map(toArtifact);
  const supposed = assumeEvidence(assume.artifacts, { ticket, author, token, attempts, limits, current });
  const { kept, assumed } = supposed;
  const evidence = {
    artifacts: [...kept, ...assumed],
    tasks: stored.tasks.map((task) => (assume.completed.includes(task.id) ? { ...task, state: 'completed' as const } : task)),
  };
  const { gate } = stored;
  const judgements = await judge(
    { em, plugins },
    {
      ...evidence,
      gate,
      ticket,
      readContents: async () => [...(await readContents(em, ticket, kept.map(toJudged))), ...assumed],
      shownBytes: place.factBytes + measureContents(supposed),
      listAttempts: async () => attempts.map((attempt) => completeAssumed(attempt, assume.completed)),
      listReplaced: async () => findReplaced(supposed, await listReplacedArtifacts(em, ticket.visitId)),
    },
    signal,
  );
  const completing = stored.tasks.filter((task) => isOpen(task) && assume.completed.includes(task.id));
  const isAssuming = assumed.length + completing.length > 0;
  // What is assumed nobody has approved, and it will be the work of who asks.
  const approvals = isAssuming ? [] : stored.approvals;
  const authors = isAssuming ? new Map([...stored.authors, [token, role]]) : stored.authors;
  const missing = findMissing(
    gate,
    { ...evidence, approvals, authors, strangers: stored.strangers },
    judgements.flatMap(({ reasons }) => reasons),
  );
  return {
    ticketId,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    ready: missing.length === 0,
    missing,
    verdicts: judgements.map(({ verdict }) => verdict),
  };
}

const toJudged = ({ id: artifactId, type, name, version, sha256 }: Artifact): JudgedArtifact => ({
  artifactId,
  type,
  name,
  version,
  sha256,
});

function refuseOver(ticket: TicketRow, { artifacts }: Assumption): void {
  const { id: ticketId, phase } = ticket;
  const over = whyOver(ticket);
  const unjudged = artifacts.length > 0 ? whyUnjudged(ticket) : undefined;
  const message = over === undefined ? unjudged : `${over} It goes nowhere any more, whatever its gate says.`;
  if (message !== undefined) throw new CoordinatorError('phase_closed', { ticketId, phase, message });
}

/** Tasks of another visit, and those that can be completed no more. One that is still blocked may be done by then. */
function refuseTasks({ tasks }: Judgeable, { phase }: TicketRow, { completed, artifacts }: Assumption): void {
  const named = [...completed, ...artifacts.flatMap(({ taskId }) => taskId ?? [])];
  const unknown = named.find((taskId) => !tasks.some(({ id }) => id === taskId));
  if (unknown !== undefined)
    throw new CoordinatorError('task_not_found', { taskId: unknown, message: `It is no task of this visit of ${phase}.` });
  const ended = tasks.find((task) => completed.includes(task.id) && task.state !== 'completed' && !isOpen(task));
  if (ended === undefined) return;
  const { id: taskId, title, state } = ended;
  const message = `The task «${title}» is ${state}: nobody can complete it, so that it cannot be taken for completed.`;
  throw new CoordinatorError('task_state_refused', { taskId, state, step: 'complete', message });
}

/** The attempt that runs at a task is the one that will have completed it. */
const completeAssumed = (attempt: AttemptFacts, completed: readonly string[]): AttemptFacts =>
  attempt.outcome === undefined && completed.includes(attempt.taskId) ? { ...attempt, outcome: 'completed' } : attempt;
