import { type ArtifactWithContent, CoordinatorError, type GateExplanation, type NewArtifact } from '@baton/protocol';
import type { AttemptFacts } from '@baton/sdk/plugin';
import type { ArtifactSchemas } from '../artifact/artifact-schemas.ts';
import { assumeArtifacts } from '../artifact/artifact.service.ts';
import { readContents } from '../artifact/artifact.store.ts';
import { listAttempts } from '../task/attempt.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { findMissing } from './gate-rules.ts';
import type { GateParts } from './gate.service.ts';
import { judge } from './judge.ts';
import { type Judgeable, readEvidence } from './judgeable.ts';

export interface ExplainParts extends GateParts {
  readonly schemas: ArtifactSchemas;
}

export interface AssumedArtifact {
  readonly artifact: NewArtifact;
  /** Whose newest attempt is to have made it. */
  readonly taskId?: string | undefined;
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
  /** With which token, by its name. */
  readonly token: string;
  readonly assume: Assumption;
}

/** As `validateGate`, of what is there and of what is assumed besides; nothing is recorded and nobody is asked for an approval. */
export async function explainGate(
  { db, plugins, schemas }: ExplainParts,
  { projectId, ticketId, author, token, assume }: Question,
  signal?: AbortSignal,
): Promise<GateExplanation> {
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const stored = await readEvidence(em, ticket);
  refuseUnknownTasks(stored, ticket, assume);
  const fault = await schemas.findFault(
    ticketId,
    assume.artifacts.map(({ artifact }) => artifact),
  );
  if (fault !== undefined) throw fault;

  const attempts = await listAttempts(em, ticket.visitId);
  const assumed = toArtifacts(assume, { ticket, author, token, attempts });
  const kept = stored.artifacts.filter(({ type, name }) => !assumed.some((each) => each.type === type && each.name === name));
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
      readContents: async () => [
        ...(await readContents(
          em,
          kept.map(({ artifactId }) => artifactId),
        )),
        ...assumed,
      ],
      contentBytes: assumed.reduce((sum, { sizeBytes }) => sum + sizeBytes, stored.contentBytes),
      listAttempts: async () => attempts.map((attempt) => completeAssumed(attempt, assume.completed)),
    },
    signal,
  );
  // What is assumed nobody has approved.
  const approvals = assumed.length + assume.completed.length > 0 ? [] : stored.approvals;
  const missing = findMissing(
    gate,
    { ...evidence, approvals },
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

function refuseUnknownTasks({ tasks }: Judgeable, { phase }: TicketRow, { completed, artifacts }: Assumption): void {
  const named = [...completed, ...artifacts.flatMap(({ taskId }) => taskId ?? [])];
  const unknown = named.find((taskId) => !tasks.some(({ id }) => id === taskId));
  if (unknown === undefined) return;
  throw new CoordinatorError('task_not_found', { taskId: unknown, message: `It is no task of this visit of ${phase}.` });
}

interface Assuming {
  readonly ticket: TicketRow;
  readonly author: string;
  readonly token: string;
  readonly attempts: readonly AttemptFacts[];
}

function toArtifacts({ artifacts }: Assumption, { ticket, author, token, attempts }: Assuming): ArtifactWithContent[] {
  const bare = assumeArtifacts(
    artifacts.map(({ artifact }) => artifact),
    { ticket, author, token },
  );
  return bare.map((artifact, index) => {
    const taskId = artifacts[index]?.taskId;
    const attempt = attempts.findLast((each) => each.taskId === taskId)?.number;
    return { ...artifact, ...(taskId !== undefined && { taskId }), ...(attempt !== undefined && { attempt }) };
  });
}

/** The attempt that runs at a task is the one that will have completed it. */
const completeAssumed = (attempt: AttemptFacts, completed: readonly string[]): AttemptFacts =>
  attempt.outcome === undefined && completed.includes(attempt.taskId) ? { ...attempt, outcome: 'completed' } : attempt;
