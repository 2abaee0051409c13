import type { Approval, GateDefinition, JsonValue, JudgedArtifact, Role } from '@baton/protocol';
import type { Authors } from '../approval/approval-rules.ts';
import { listApprovalsOf, listAuthors } from '../approval/approval.store.ts';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { findPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { readVisitDigests, readVisitEvidence, type VisitDigests } from './evidence.store.ts';
import type { Evidence } from './gate-rules.ts';

/** What a result of a gate is bound to, without what it stands for. */
export interface Binding {
  readonly gate: GateDefinition | undefined;
  /** Of the gate, the versions of the artifacts and the tasks: what approvals are given for. */
  readonly evidenceDigest: string;
  /** Of the evidence and, where validators are asked, of what else they are shown of the ticket. */
  readonly shownDigest: string;
  /** Those that were asked for about this evidence. */
  readonly approvals: readonly Approval[];
  /** Of all that binds a result. */
  readonly digest: string;
}

export async function readBinding(em: EntityManager, ticket: TicketRow): Promise<Binding> {
  const gate = await findGate(em, ticket);
  return bind(em, { ticket, gate, digests: await readVisitDigests(em, ticket.visitId, { withAttempts: hasValidators(gate) }) });
}

/** What a gate would judge now. */
export interface Judgeable extends Binding, Evidence {
  /** Whose work it is, as far as the gate has approvals. */
  readonly authors: Authors;
  /** The newest versions of the visit. */
  readonly artifacts: readonly JudgedArtifact[];
  /** What their contents take, in bytes of JSON. */
  readonly contentBytes: number;
}

export async function readEvidence(em: EntityManager, ticket: TicketRow): Promise<Judgeable> {
  const gate = await findGate(em, ticket);
  const { digests, ...evidence } = await readVisitEvidence(em, ticket.visitId, { withAttempts: hasValidators(gate) });
  const authors = gate?.approvals === undefined ? new Map<string, Role>() : await listAuthors(em, ticket.id);
  return { ...(await bind(em, { ticket, gate, digests })), ...evidence, authors };
}

const findGate = async (em: EntityManager, { workflowId, phase }: TicketRow): Promise<GateDefinition | undefined> =>
  findPhase((await getWorkflow(em, workflowId)).definition, phase)?.gate;

const hasValidators = (gate: GateDefinition | undefined): boolean => (gate?.validators.length ?? 0) > 0;

interface Found {
  readonly ticket: TicketRow;
  readonly gate: GateDefinition | undefined;
  readonly digests: VisitDigests;
}

async function bind(em: EntityManager, { ticket, gate, digests: { artifacts, tasks, attempts } }: Found): Promise<Binding> {
  const evidenceDigest = digestOf({ gate: (gate ?? null) as unknown as JsonValue, artifacts, tasks }).sha256;
  const shownDigest = hasValidators(gate)
    ? digestOf({ evidence: evidenceDigest, ticket: shownOf(ticket), attempts }).sha256
    : evidenceDigest;
  const approvals = gate?.approvals === undefined ? [] : await listApprovalsOf(em, ticket.visitId, evidenceDigest);
  return { gate, evidenceDigest, shownDigest, approvals, digest: bindApprovals(shownDigest, approvals) };
}

/** What validators are shown of a ticket and can change in a visit. Not its version and its times, which say nothing of their own. */
const shownOf = ({ title, description = null, priority, metadata }: TicketRow): JsonValue => ({ title, description, priority, metadata });

/** The digest of a result: of what was shown and, where approvals were asked for, of what has become of them. */
export const bindApprovals = (shownDigest: string, approvals: readonly Approval[]): string =>
  approvals.length === 0 ? shownDigest : digestOf({ shown: shownDigest, approvals: approvals.map(({ id, state }) => [id, state]) }).sha256;
