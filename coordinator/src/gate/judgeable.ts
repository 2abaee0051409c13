import type { Approval, GateDefinition, JsonValue } from '@baton/protocol';
import { listApprovalsOf } from '../approval/approval.store.ts';
import { listCurrentArtifacts, type StoredArtifact } from '../artifact/artifact.store.ts';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { findPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import type { Evidence } from './gate-rules.ts';
import { listJudgedTasks } from './gate.store.ts';

/** What a gate would judge now. */
export interface Judgeable extends Evidence {
  /** The newest versions of the visit. */
  readonly artifacts: readonly StoredArtifact[];
  readonly gate: GateDefinition | undefined;
  /** Of the gate, the versions of the artifacts and the tasks: what approvals are given for. */
  readonly evidenceDigest: string;
  /** Those that were asked for about this evidence. */
  readonly approvals: readonly Approval[];
  /** Of all that binds a result. */
  readonly digest: string;
}

export async function readEvidence(em: EntityManager, ticket: Pick<TicketRow, 'visitId' | 'phase' | 'workflowId'>): Promise<Judgeable> {
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const gate = findPhase(definition, ticket.phase)?.gate;
  const artifacts = await listCurrentArtifacts(em, ticket.visitId);
  const tasks = await listJudgedTasks(em, ticket.visitId);
  const { sha256: evidenceDigest } = digestOf({
    gate: (gate ?? null) as unknown as JsonValue,
    artifacts: artifacts.map(({ type, name, version, sha256 }) => [type, name, version, sha256]),
    tasks: tasks.map(({ id, state }) => [id, state]),
  });
  const approvals = gate?.approvals === undefined ? [] : await listApprovalsOf(em, ticket.visitId, evidenceDigest);
  return { gate, artifacts, tasks, evidenceDigest, approvals, digest: bindApprovals(evidenceDigest, approvals) };
}

/** The digest of a result: of the evidence and, where approvals were asked for, of what has become of them. */
export const bindApprovals = (evidenceDigest: string, approvals: readonly Approval[]): string =>
  approvals.length === 0
    ? evidenceDigest
    : digestOf({ evidence: evidenceDigest, approvals: approvals.map(({ id, state }) => [id, state]) }).sha256;
