import {
  CoordinatorError,
  type GateExplanation,
  type GateReason,
  type GateResult,
  type GateStatus,
  type NewArtifact,
  type Verdict,
} from '@baton/protocol';
import { findMissingApprovals } from '../approval/approval-rules.ts';
import { requestApprovals } from '../approval/approval.service.ts';
import type { ArtifactSchemas } from '../artifact/artifact-schemas.ts';
import { assumeArtifacts } from '../artifact/artifact.service.ts';
import { readContents } from '../artifact/artifact.store.ts';
import { noteItems, recorder, replaceTopics } from '../context/context.service.ts';
import { factsOfGate, gateTopic } from '../context/mechanical-facts.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { lockVisit } from '../phase/phase-visit.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { getTicket, holdTicket } from '../ticket/ticket.store.ts';
import { findMissing, gateState, validatorsOf } from './gate-rules.ts';
import { findNewestResultOfVisit, insertResult } from './gate.store.ts';
import { judge } from './judge.ts';
import { bindApprovals, type Judgeable, readEvidence } from './judgeable.ts';

export interface GateParts {
  readonly db: Database;
  readonly plugins: Pick<PluginHost, 'validate'>;
}

export interface ExplainParts extends GateParts {
  readonly schemas: ArtifactSchemas;
}

/** Tells what the gate of the phase a ticket is in still lacks. Runs no validator and writes nothing. */
export async function readGateStatus(em: EntityManager, projectId: string, ticketId: string): Promise<GateStatus> {
  const ticket = await getTicket(em, projectId, ticketId);
  const judgeable = await readEvidence(em, ticket);
  const missing = findAllMissing(judgeable);
  const result = await findNewestResultOfVisit(em, ticket.visitId);
  return {
    ticketId,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    state: gateState(judgeable.gate, missing),
    met: missing.length === 0,
    missing,
    stale: result !== undefined && result.digest !== judgeable.digest,
    ...(result !== undefined && { result }),
  };
}

/** What is missing that can be known without a validator. Approvals are asked for last, and so are missed last. */
function findAllMissing({ gate, approvals, ...evidence }: Judgeable): GateReason[] {
  if (gate === undefined) return [];
  const missing = findMissing(gate, evidence);
  return missing.length > 0 ? missing : findMissingApprovals(gate.approvals ?? [], approvals);
}

export interface Assumption {
  /** Tasks that are taken for completed. */
  readonly completed: readonly string[];
  /** Evidence that is taken for stored. */
  readonly artifacts: readonly NewArtifact[];
}

/** As `validateGate`, of what is there and of what is assumed besides; nothing is recorded and nobody is asked for an approval. */
export async function explainGate(
  { db, plugins, schemas }: ExplainParts,
  { projectId, name }: { readonly projectId: string; readonly name: string },
  { ticketId, assume = { completed: [], artifacts: [] } }: { readonly ticketId: string; readonly assume?: Assumption | undefined },
  signal?: AbortSignal,
): Promise<GateExplanation> {
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const stored = await readEvidence(em, ticket);
  const unknown = assume.completed.find((taskId) => !stored.tasks.some(({ id }) => id === taskId));
  if (unknown !== undefined)
    throw new CoordinatorError('task_not_found', { taskId: unknown, message: `It is no task of this visit of ${ticket.phase}.` });
  const faults = await schemas.check(
    em,
    assume.artifacts.map((artifact) => ({ ticketId, artifact })),
  );
  const fault = faults.find((each) => each !== undefined);
  if (fault !== undefined) throw fault;
  const assumed = assumeArtifacts(assume.artifacts, { ticket, author: name });
  const isReplaced = ({ type, name: of }: { type: string; name: string }) => assumed.some((each) => each.type === type && each.name === of);
  const kept = stored.artifacts.filter((artifact) => !isReplaced(artifact));
  const evidence = {
    artifacts: [...kept, ...assumed],
    tasks: stored.tasks.map((task) => (assume.completed.includes(task.id) ? { ...task, state: 'completed' as const } : task)),
  };
  const { gate } = stored;
  const readAll = async () => [...(await readContents(em, kept)), ...assumed];
  const judgements = await judge({ em, plugins }, { ...evidence, gate, ticket, readContents: readAll }, signal);
  const missing = gate === undefined ? [] : [...findMissing(gate, evidence), ...judgements.flatMap(({ reasons }) => reasons)];
  // What is assumed nobody has approved.
  const approvals = assumed.length + assume.completed.length > 0 ? [] : stored.approvals;
  const all = missing.length > 0 ? missing : findMissingApprovals(gate?.approvals ?? [], approvals);
  return {
    ticketId,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    ready: all.length === 0,
    missing: all,
    verdicts: judgements.map(({ verdict }) => verdict),
  };
}

export interface ValidateOptions {
  readonly signal?: AbortSignal | undefined;
  /** Asks anew for approvals that were refused or have expired. */
  readonly renew?: boolean;
}

/**
 * Judges the gate of the phase a ticket is in, and records the result with the digest of what was judged. Validators run
 * outside of any transaction; what they looked at may have changed when they end, and then the result is stale at once.
 */
export async function validateGate(
  { db, plugins }: GateParts,
  projectId: string,
  ticketId: string,
  { signal, renew = false }: ValidateOptions = {},
): Promise<GateResult> {
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const judgeable = await readEvidence(em, ticket);
  const startedAt = performance.now();
  const readAll = () => readContents(em, judgeable.artifacts);
  const judgements = await judge({ em, plugins }, { ...judgeable, ticket, readContents: readAll }, signal);
  const missing = judgeable.gate === undefined ? [] : findMissing(judgeable.gate, judgeable);
  return recordResult(db, ticket, {
    judgeable,
    renew,
    reasons: [...missing, ...judgements.flatMap(({ reasons }) => reasons)],
    verdicts: judgements.map(({ verdict }) => verdict),
    durationMs: Math.round(performance.now() - startedAt),
  });
}

interface Findings {
  readonly judgeable: Judgeable;
  readonly renew: boolean;
  /** Why the gate is not passed, approvals apart. */
  readonly reasons: readonly GateReason[];
  readonly verdicts: Verdict[];
  readonly durationMs: number;
}

/** Where nothing else is lacking, the approvals are asked for in the same transaction. */
const recordResult = (db: Database, seen: TicketRow, { judgeable, renew, verdicts, durationMs, ...found }: Findings): Promise<GateResult> =>
  transact(db, seen.projectId, async (tx) => {
    const ticket = await holdTicket(tx.em, seen.projectId, seen.id);
    const rules = judgeable.gate?.approvals ?? [];
    const othersAreCancelled = judgeable.gate?.onApprovalRefused === 'cancel_others';
    // What was judged may be gone: then nobody is asked about it, and what was asked about the new stands.
    const isThere =
      ticket.visitId === seen.visitId &&
      ticket.state === 'open' &&
      (await readEvidence(tx.em, ticket)).evidenceDigest === judgeable.evidenceDigest;
    if (isThere) await recordFindings(tx, ticket, { judgeable, verdicts });
    const { approvals } =
      found.reasons.length === 0 && rules.length > 0 && isThere
        ? { approvals: await requestApprovals(tx, ticket, { rules, renew, othersAreCancelled, digest: judgeable.evidenceDigest }) }
        : judgeable;
    const reasons = found.reasons.length > 0 ? [...found.reasons] : findMissingApprovals(rules, approvals);
    const { phase, visitNumber: visit } = seen;
    const outcome = reasons.length === 0 ? ('passed' as const) : ('failed' as const);
    const result = await insertResult(tx.em, {
      ticketId: seen.id,
      visitId: seen.visitId,
      phase,
      visit,
      outcome,
      digest: bindApprovals(judgeable.evidenceDigest, approvals),
      judged: judgeable.artifacts.map(({ id, type, name, version, sha256 }) => ({ artifactId: id, type, name, version, sha256 })),
      reasons,
      verdicts,
      durationMs,
    });
    tx.record('gate.evaluated', {
      ticketId: seen.id,
      phase,
      visit,
      outcome,
      reasons,
      verdicts: verdicts.map(({ findings: _, ...verdict }) => verdict),
    });
    return result;
  });

/** What the validators found, as items, in the place of what they found before. */
async function recordFindings(tx: Tx, ticket: TicketRow, { judgeable, verdicts }: Pick<Findings, 'judgeable' | 'verdicts'>): Promise<void> {
  // Where they were not asked, what they said before stands.
  if (verdicts.length === 0) return;
  const { id: ticketId, visitId, visitNumber, phase } = ticket;
  await lockVisit(tx.em, visitId);
  const validators = judgeable.gate === undefined ? [] : validatorsOf(judgeable.gate, judgeable);
  const facts = factsOfGate({ ticketId, visitId, visitNumber, phase, author: recorder }, verdicts, validators);
  await noteItems(tx, facts);
  if (facts.length === 0) await replaceTopics(tx, [{ ticketId, phase, topic: gateTopic, texts: [] }]);
}

/** A result that still stands: it judged exactly what is there now. */
export async function findStandingResult(em: EntityManager, ticket: TicketRow): Promise<GateResult | undefined> {
  const result = await findNewestResultOfVisit(em, ticket.visitId);
  return result?.digest === (await readEvidence(em, ticket)).digest ? result : undefined;
}
