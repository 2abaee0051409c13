import type { GateResult, GateStatus, Verdict } from '@baton/protocol';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { requestApprovals } from '../approval/approval.service.ts';
import { readContents } from '../artifact/artifact.store.ts';
import { noteItems, recorder, replaceTopics } from '../context/context.service.ts';
import { factsOfGate, gateTopic } from '../context/mechanical-facts.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import { listAttempts } from '../task/attempt.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { getTicket, holdTicket } from '../ticket/ticket.store.ts';
import { findMissing, gateState, isOpen, validatorsOf } from './gate-rules.ts';
import { findNewestResultOfVisit, findRecordedResult, insertResult, type RecordedResult } from './gate.store.ts';
import { judge, type Judgement, type JudgeParts } from './judge.ts';
import { bindApprovals, type Judgeable, readBinding, readEvidence } from './judgeable.ts';

export interface ResultLimits {
  /** How long a result holds that depends on the world outside. */
  readonly outsideVerdictMs: number;
}

export interface GateParts extends ResultLimits {
  readonly db: Database;
  readonly plugins: Pick<PluginHost, 'validate' | 'refuseEvidence' | 'list'>;
}

/**
 * Tells what the gate of the phase a ticket is in still lacks. Runs no validator and writes nothing: what they said of exactly what
 * is there now still holds the gate.
 */
export async function readGateStatus(limits: ResultLimits, em: EntityManager, ticket: TicketRow): Promise<GateStatus> {
  const judgeable = await readEvidence(em, ticket);
  const result = await findNewestResultOfVisit(em, ticket.visitId);
  const said = result?.digest === judgeable.digest ? result.reasons.filter(({ validator }) => validator !== undefined) : [];
  const missing = findMissing(judgeable.gate, judgeable, said);
  const recorded = await findRecordedResult(em, ticket.visitId, limits.outsideVerdictMs);
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

export interface ValidateOptions {
  readonly signal?: AbortSignal | undefined;
  /** Asks anew for approvals that were refused or have expired. */
  readonly renew?: boolean;
  /** The transaction that records the result; without it one of its own. */
  readonly record?: (work: (tx: Tx) => Promise<GateResult>) => Promise<GateResult>;
}

/**
 * Judges the gate of the phase a ticket is in, and records the result with the digest of what was judged. Validators run
 * outside of any transaction; what they looked at may have changed when they end, and then the result is stale at once. What a
 * signal has cut short is thrown away.
 */
export async function validateGate(
  { db, plugins }: GateParts,
  projectId: string,
  ticketId: string,
  { signal, renew = false, record = (work) => transact(db, projectId, work) }: ValidateOptions = {},
): Promise<GateResult> {
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const judgeable = await readEvidence(em, ticket);
  const startedAt = performance.now();
  // The gate is not passed while tasks are open, whatever validators would say of unfinished work.
  const judgements = judgeable.tasks.some(isOpen) ? [] : await judgeEvidence({ em, plugins }, { ticket, judgeable }, signal);
  // A validator that was cancelled says that it failed, which is nothing about the evidence.
  signal?.throwIfAborted();
  const durationMs = Math.round(performance.now() - startedAt);
  return record((tx) => recordResult(tx, ticket, { judgeable, renew, judgements, durationMs }));
}

const judgeEvidence = (
  { em, plugins }: JudgeParts,
  { ticket, judgeable }: { readonly ticket: TicketRow; readonly judgeable: Judgeable },
  signal: AbortSignal | undefined,
): Promise<Judgement[]> =>
  judge(
    { em, plugins },
    {
      ...judgeable,
      ticket,
      readContents: () =>
        readContents(
          em,
          judgeable.artifacts.map(({ artifactId }) => artifactId),
        ),
      listAttempts: () => listAttempts(em, ticket.visitId),
    },
    signal,
  );

interface Findings {
  readonly judgeable: Judgeable;
  readonly renew: boolean;
  readonly judgements: readonly Judgement[];
  readonly durationMs: number;
}

/** Where nothing else is lacking, the approvals are asked for in the same transaction. */
async function recordResult(tx: Tx, seen: TicketRow, { judgeable, renew, judgements, durationMs }: Findings): Promise<GateResult> {
  const { gate, evidenceDigest, shownDigest } = judgeable;
  const verdicts = judgements.map(({ verdict }) => verdict);
  const held = judgements.flatMap(({ reasons }) => reasons);
  const ticket = await holdTicket(tx.em, seen.projectId, seen.id);
  // What was judged may be gone: then nobody is asked about it, and what was asked about the new stands.
  const isThere =
    ticket.visitId === seen.visitId && ticket.state === 'open' && (await readBinding(tx.em, ticket)).shownDigest === shownDigest;
  if (isThere) await recordFindings(tx, ticket, { judgeable, verdicts });
  const rules = gate?.approvals ?? [];
  const othersAreCancelled = gate?.onApprovalRefused === 'cancel_others';
  const isRestThere = findMissing(gate, judgeable, held).every(({ approval }) => approval !== undefined);
  const approvals =
    isThere && isRestThere && rules.length > 0
      ? await requestApprovals(tx, ticket, { rules, renew, othersAreCancelled, digest: evidenceDigest })
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
    looksOutside: judgements.some(({ looksOutside }) => looksOutside),
    judged: [...judgeable.artifacts],
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
  await lockVisit(tx.em, visitId);
  const validators = judgeable.gate === undefined ? [] : validatorsOf(judgeable.gate, judgeable);
  const facts = factsOfGate({ ticketId, visitId, visitNumber, phase, author: recorder }, verdicts, validators);
  await noteItems(tx, facts);
  if (facts.length === 0) await replaceTopics(tx, [{ ticketId, phase, topic: gateTopic, texts: [] }]);
}

/** The newest result of the visit a ticket is in, where what it judged is what is there now. */
export async function findBoundResult(
  { outsideVerdictMs }: ResultLimits,
  em: EntityManager,
  ticket: TicketRow,
): Promise<RecordedResult | undefined> {
  const result = await findRecordedResult(em, ticket.visitId, outsideVerdictMs);
  if (result === undefined) return undefined;
  return result.digest === (await readBinding(em, ticket)).digest ? result : undefined;
}

/** A result that still stands: it judged exactly what is there now, and has not aged. */
export async function findStandingResult(limits: ResultLimits, em: EntityManager, ticket: TicketRow): Promise<RecordedResult | undefined> {
  const result = await findBoundResult(limits, em, ticket);
  return result?.hasAged === true ? undefined : result;
}
