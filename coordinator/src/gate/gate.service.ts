import type { GateDefinition, GateReason, GateResult, GateStatus, JsonValue, Ticket, Verdict } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import { digestOf } from '../artifact/digest.ts';
import { listCurrentArtifacts, readContents } from '../artifact/artifact.store.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact } from '../db/transaction.ts';
import type { PluginHost } from '../plugins/plugin-host.ts';
import { listTasks } from '../task/task.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { getTicket, holdTicket, toTicket } from '../ticket/ticket.store.ts';
import { findPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { type Evidence, findMissing, gateState, reasonsOf, validatorsOf } from './gate-rules.ts';
import { GateResultEntity } from './gate-result.entity.ts';
import { findNewestResultOfVisit, listJudgedTasks, toGateResult } from './gate.store.ts';

export interface GateParts {
  readonly db: Database;
  readonly plugins: Pick<PluginHost, 'validate'>;
}

/** What a gate would judge now, and the digest that binds a result to it. */
export interface Judgeable extends Evidence {
  readonly gate: GateDefinition | undefined;
  readonly digest: string;
}

export async function readEvidence(em: EntityManager, ticket: Pick<TicketRow, 'visitId' | 'phase' | 'workflowId'>): Promise<Judgeable> {
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const gate = findPhase(definition, ticket.phase)?.gate;
  const artifacts = await listCurrentArtifacts(em, ticket.visitId);
  const tasks = await listJudgedTasks(em, ticket.visitId);
  const { sha256: digest } = digestOf({
    gate: (gate ?? null) as unknown as JsonValue,
    artifacts: artifacts.map(({ type, name, version, sha256 }) => [type, name, version, sha256]),
    tasks: tasks.map(({ id, state }) => [id, state]),
  });
  return { gate, artifacts, tasks, digest };
}

/** Tells what the gate of the phase a ticket is in still lacks. Runs no validator and writes nothing. */
export async function readGateStatus(em: EntityManager, projectId: string, ticketId: string): Promise<GateStatus> {
  const ticket = await getTicket(em, projectId, ticketId);
  const { gate, digest, ...evidence } = await readEvidence(em, ticket);
  const missing = gate === undefined ? [] : findMissing(gate, evidence);
  const result = await findNewestResultOfVisit(em, ticket.visitId);
  return {
    ticketId,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    state: gateState(gate, missing),
    met: missing.length === 0,
    missing,
    stale: result !== undefined && result.digest !== digest,
    ...(result !== undefined && { result }),
  };
}

/**
 * Judges the gate of the phase a ticket is in, and records the result with the digest of what was judged. Validators run
 * outside of any transaction; what they looked at may have changed when they end, and then the result is stale at once.
 */
export async function validateGate(
  { db, plugins }: GateParts,
  projectId: string,
  ticketId: string,
  signal?: AbortSignal,
): Promise<GateResult> {
  const em = db.em.fork();
  const ticket = await getTicket(em, projectId, ticketId);
  const judgeable = await readEvidence(em, ticket);
  const startedAt = performance.now();
  const verdicts = await judge({ em, plugins }, ticket, judgeable, signal);
  const missing = judgeable.gate === undefined ? [] : findMissing(judgeable.gate, judgeable);
  const reasons = [...missing, ...verdicts.flatMap(({ reasons }) => reasons)];
  return recordResult(db, ticket, {
    judgeable,
    reasons,
    verdicts: verdicts.map(({ verdict }) => verdict),
    durationMs: Math.round(performance.now() - startedAt),
  });
}

async function judge(
  { em, plugins }: { em: EntityManager; plugins: GateParts['plugins'] },
  ticket: TicketRow,
  judgeable: Judgeable,
  signal: AbortSignal | undefined,
): Promise<{ verdict: Verdict; reasons: GateReason[] }[]> {
  const { gate } = judgeable;
  // Validators judge finished work; while tasks are open they could only say what is known already.
  if (gate === undefined || judgeable.tasks.some(({ state }) => ['blocked', 'ready', 'running'].includes(state))) return [];
  const validators = validatorsOf(gate, judgeable);
  if (validators.length === 0) return [];

  const artifacts = await readContents(em, judgeable.artifacts);
  const workflow = await getWorkflow(em, ticket.workflowId);
  const { tasks } = await listTasks(em, { projectId: ticket.projectId, ticketId: ticket.id, phase: ticket.phase, limit: 1_000 });
  const facts = {
    ticket: toTicket(ticket, workflow) satisfies Ticket,
    phase: ticket.phase,
    visit: ticket.visitNumber,
    tasks: tasks.filter(({ visit }) => visit === ticket.visitNumber),
  };
  return Promise.all(
    validators.map(async (validator) => {
      const { use, config, requirement, timeoutMs } = validator;
      const { outcome, findings, durationMs } = await plugins.validate({ use, config, artifacts, facts, timeoutMs, signal });
      const verdict: Verdict = { validator: use, requirement, outcome, findings, durationMs };
      return { verdict, reasons: reasonsOf(verdict, validator) };
    }),
  );
}

interface Judgement {
  readonly judgeable: Judgeable;
  readonly reasons: GateReason[];
  readonly verdicts: Verdict[];
  readonly durationMs: number;
}

const recordResult = (db: Database, ticket: TicketRow, { judgeable, reasons, verdicts, durationMs }: Judgement): Promise<GateResult> =>
  transact(db, ticket.projectId, async (tx) => {
    await holdTicket(tx.em, ticket.projectId, ticket.id);
    const { phase, visitNumber: visit } = ticket;
    const outcome = reasons.length === 0 ? ('passed' as const) : ('failed' as const);
    const row = tx.em.create(GateResultEntity, {
      id: uuidv7(),
      ticketId: ticket.id,
      visitId: ticket.visitId,
      phase,
      visitNumber: visit,
      outcome,
      digest: judgeable.digest,
      judged: judgeable.artifacts.map(({ id, type, name, version, sha256 }) => ({ artifactId: id, type, name, version, sha256 })),
      reasons,
      verdicts,
      durationMs,
    });
    await tx.em.flush();
    tx.record('gate.evaluated', {
      ticketId: ticket.id,
      phase,
      visit,
      outcome,
      reasons,
      verdicts: verdicts.map(({ findings: _, ...verdict }) => verdict),
    });
    return toGateResult(row);
  });

/** A result that still stands: it judged exactly what is there now. */
export async function findStandingResult(em: EntityManager, ticket: TicketRow): Promise<GateResult | undefined> {
  const result = await findNewestResultOfVisit(em, ticket.visitId);
  return result?.digest === (await readEvidence(em, ticket)).digest ? result : undefined;
}
