import type { GateResult, GateStatus, Verdict } from '@baton/protocol';
import type { PluginHost } from '@baton/sdk/plugin/host';
import type { Decider } from '../approval/approval-rules.ts';
import { cancelOutdated, refuseRenewal, requestApprovals } from '../approval/approval.service.ts';
import { noteFindings, recorder } from '../context/context.service.ts';
import { factsOfGate } from '../context/mechanical-facts.ts';
import { findDataFault } from '../db/errors.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { getTicket, holdTicket } from '../ticket/ticket.store.ts';
import { findMissing, gateState, validatorsOf } from './gate-rules.ts';
import { findNewestResultOfVisit, findRecordedResult, insertResult, type RecordedResult } from './gate.store.ts';
import { askValidators, recallVerdicts, type Said } from './hear-validators.ts';
import { bindApprovals, type Judgeable, type ListedPlugins, readBinding, readEvidence } from './judgeable.ts';
import { type Place, takePlace } from './judgement-place.ts';
import type { JudgementTurns, Purpose } from './judgement-turns.ts';
import { hasCrashed } from './refusal-rules.ts';
import { withoutWords } from './unstored.ts';

interface ResultLimits {
  /** How long a result holds that depends on the world outside. */
  readonly outsideVerdictMs: number;
}

/** What it takes to know whether a result still stands. */
interface StandingParts extends ResultLimits {
  readonly plugins: ListedPlugins;
}

export interface GateParts extends StandingParts {
  readonly db: Database;
  readonly plugins: Pick<PluginHost, 'validate' | 'refuseEvidence' | 'list'>;
  readonly turns: JudgementTurns;
  readonly log: Pick<Log, 'error'>;
}

/**
 * Tells what the gate of the phase a ticket is in still lacks. Runs no validator and writes nothing: what they said of exactly what
 * is there now still holds the gate.
 */
export async function readGateStatus(
  { plugins, outsideVerdictMs }: StandingParts,
  em: EntityManager,
  ticket: TicketRow,
): Promise<GateStatus> {
  const judgeable = await readEvidence(em, plugins, ticket);
  const result = await findNewestResultOfVisit(em, ticket.visitId);
  const said = result?.digest === judgeable.digest ? result.reasons.filter(({ validator }) => validator !== undefined) : [];
  const missing = findMissing(judgeable.gate, judgeable, said);
  const recorded = await findRecordedResult(em, ticket.visitId, outsideVerdictMs);
  return {
    ticketId: ticket.id,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    state: gateState(judgeable.gate, missing),
    met: missing.length === 0,
    missing,
    stale: result !== undefined && (result.digest !== judgeable.digest || recorded?.hasAged === true),
    ...(result !== undefined && { result }),
  };
}

interface JudgeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Who asks anew for approvals that were refused or have expired. */
  readonly renewedBy?: Decider | undefined;
  /** Takes over what validators said when they were last shown the same, where that lets the gate open and has not aged. */
  readonly takesOver?: boolean;
  /** The workflow of the ticket asks, and acts on the result itself. */
  readonly isByWorkflow?: boolean;
  /** The transaction that records the result; without it one of its own. */
  readonly record?: (work: (tx: Tx) => Promise<GateResult>) => Promise<GateResult>;
}

export interface ValidateOptions extends Omit<JudgeOptions, 'isByWorkflow'> {
  readonly purpose?: Purpose;
  /** Finds the result of the same call, which may have been sent twice. Asked again when it is its turn. */
  readonly findKept?: () => Promise<GateResult | undefined>;
}

/**
 * As `judgeInPlace`, as soon as there is a place.
 * @throws CoordinatorError `overloaded` where too many judgements wait for their turn
 */
export async function validateGate(
  parts: GateParts,
  projectId: string,
  ticketId: string,
  { purpose = 'validation', findKept, ...options }: ValidateOptions = {},
): Promise<GateResult> {
  using place = await takePlace({ em: parts.db.em.fork(), turns: parts.turns }, { projectId, ticketId, purpose }, options.signal);
  return (await findKept?.()) ?? (await judgeInPlace(parts, { projectId, ticketId, place }, options));
}

/**
 * Judges the gate of the phase a ticket is in, and records the result with the digest of what was judged. Validators run
 * outside of any transaction; what they looked at may have changed when they end, and then the result is stale at once. What a
 * signal has cut short is thrown away.
 */
export async function judgeInPlace(
  { db, plugins, log, outsideVerdictMs }: GateParts,
  { projectId, ticketId, place: size }: { readonly projectId: string; readonly ticketId: string; readonly place: Place },
  options: JudgeOptions,
): Promise<GateResult> {
  const { signal, renewedBy, takesOver = false, isByWorkflow = false, record = (work) => transact(db, projectId, work) } = options;
  // Read when it is its turn: it may have changed meanwhile.
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const judgeable = await readEvidence(em, plugins, ticket);
  // Before validators work for nothing. What is refused meanwhile is seen when the result is recorded.
  if (renewedBy !== undefined) refuseRenewal(renewedBy, judgeable.approvals, judgeable.authors);
  const startedAt = performance.now();
  const known = takesOver ? await recallVerdicts(em, { ticket, judgeable }, outsideVerdictMs) : undefined;
  const said = known ?? (await askValidators({ em, plugins }, { ticket, judgeable, size }, signal));
  // A validator that was cancelled says that it failed, which is nothing about the evidence.
  signal?.throwIfAborted();
  const durationMs = Math.round(performance.now() - startedAt);
  const findings = { plugins, judgeable, renewedBy, isByWorkflow, durationMs };
  const recordSaid = (said: Said) => record((tx) => recordResult(tx, ticket, { ...findings, said }));
  try {
    return await recordSaid(said);
  } catch (error) {
    const sqlState = findDataFault(error);
    if (sqlState === undefined) throw error;
    // It would be the same at every try, and nobody would learn why the gate is not judged.
    log.error({ err: error, ticketId }, 'what validators said cannot be stored');
    return recordSaid(withoutWords(said, sqlState));
  }
}

/** As `judgeInPlace` with what is known, and without asking or waiting for anybody: `unjudged` where validators have to be asked. */
export async function judgeUnasked(
  { db, plugins, outsideVerdictMs }: Pick<GateParts, 'db' | 'plugins' | 'outsideVerdictMs'>,
  projectId: string,
  ticketId: string,
  { isByWorkflow = false }: Pick<JudgeOptions, 'isByWorkflow'> = {},
): Promise<GateResult | 'unjudged'> {
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const judgeable = await readEvidence(em, plugins, ticket);
  const said = await recallVerdicts(em, { ticket, judgeable }, outsideVerdictMs);
  if (said === undefined) return 'unjudged';
  const findings = { plugins, judgeable, renewedBy: undefined, isByWorkflow, said, durationMs: 0 };
  return transact(db, projectId, (tx) => recordResult(tx, ticket, findings));
}

interface Findings {
  readonly plugins: ListedPlugins;
  readonly judgeable: Judgeable;
  readonly renewedBy: Decider | undefined;
  readonly isByWorkflow: boolean;
  readonly said: Said;
  readonly durationMs: number;
}

/** Where nothing else is lacking, the approvals are asked for in the same transaction; what waits about other evidence is cancelled. */
async function recordResult(
  tx: Tx,
  seen: TicketRow,
  { plugins, judgeable, renewedBy, isByWorkflow, said, durationMs }: Findings,
): Promise<GateResult> {
  const { gate, evidenceDigest, shownDigest } = judgeable;
  const { verdicts, held, looksOutside, verdictsOf } = said;
  const ticket = await holdTicket(tx.em, seen.projectId, seen.id);
  await lockVisit(tx.em, ticket.visitId);
  // What was judged may be gone: then nobody is asked about it, and what was asked about the new stands.
  const isThere =
    ticket.visitId === seen.visitId && ticket.state === 'open' && (await readBinding(tx.em, plugins, ticket)).shownDigest === shownDigest;
  if (isThere && verdictsOf === undefined) await recordFindings(tx, ticket, { judgeable, verdicts });
  const rules = gate?.approvals ?? [];
  const othersAreCancelled = gate?.onApprovalRefused === 'cancel_others';
  const isRestThere = findMissing(gate, judgeable, held).every(({ approval }) => approval !== undefined);
  const hasApprovals = isThere && rules.length > 0;
  if (hasApprovals) await cancelOutdated(tx, ticket, evidenceDigest);
  const approvals =
    hasApprovals && isRestThere
      ? await requestApprovals(tx, ticket, { rules, renewedBy, othersAreCancelled, digest: evidenceDigest })
      : judgeable.approvals;
  const reasons = findMissing(gate, { ...judgeable, approvals }, held);
  const { phase, visitNumber: visit } = seen;
  const outcome = reasons.length === 0 ? ('passed' as const) : ('failed' as const);
  const result = await insertResult(tx.em, {
    ticketId: seen.id,
    visitId: seen.visitId,
    phase,
    visit,
    outcome,
    digest: bindApprovals(shownDigest, approvals),
    shownDigest,
    looksOutside,
    judged: [...judgeable.artifacts],
    reasons,
    verdicts: [...verdicts],
    durationMs,
    ...(verdictsOf !== undefined && { verdictsOf }),
  });
  // Whoever else judged it, the workflow acts on it. A check that has crashed is left alone for a while.
  if (!isByWorkflow && !hasCrashed(result)) tx.hints.ticketIds.add(seen.id);
  tx.record('gate.evaluated', {
    ticketId: seen.id,
    phase,
    visit,
    outcome,
    reasons,
    verdicts: verdicts.map(({ findings: _, ...verdict }) => verdict),
  });
  return result;
}

/** What the validators found, as items, in the place of what they found before. */
async function recordFindings(
  tx: Tx,
  ticket: TicketRow,
  { judgeable, verdicts }: Pick<Findings, 'judgeable'> & { readonly verdicts: readonly Verdict[] },
): Promise<void> {
  // Where they were not asked, what they said before stands.
  if (verdicts.length === 0) return;
  const { id: ticketId, visitId, visitNumber, phase } = ticket;
  const validators = judgeable.gate === undefined ? [] : validatorsOf(judgeable.gate, judgeable);
  const facts = factsOfGate({ ticketId, visitId, visitNumber, phase, author: recorder }, verdicts, validators);
  await noteFindings(tx, { ticketId, phase }, facts);
}

/** The newest result of the visit a ticket is in, where what it judged is what is there now. */
export async function findBoundResult(
  { plugins, outsideVerdictMs }: StandingParts,
  em: EntityManager,
  ticket: TicketRow,
): Promise<RecordedResult | undefined> {
  const result = await findRecordedResult(em, ticket.visitId, outsideVerdictMs);
  if (result === undefined) return undefined;
  return result.digest === (await readBinding(em, plugins, ticket)).digest ? result : undefined;
}

/** A result that still stands: it judged exactly what is there now, and has not aged. */
export async function findStandingResult(parts: StandingParts, em: EntityManager, ticket: TicketRow): Promise<RecordedResult | undefined> {
  const result = await findBoundResult(parts, em, ticket);
  return result?.hasAged === true ? undefined : result;
}
