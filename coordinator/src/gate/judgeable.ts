import type { Approval, GateDefinition, JsonValue, JudgedArtifact } from '@baton/protocol';
import type { PluginHost } from '@baton/sdk/plugin/host';
import type { People } from '../approval/approval-rules.ts';
import { listApprovalsOf, listAuthors, listStrangers } from '../approval/approval.store.ts';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import { findPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { readVisitDigests, readVisitEvidence, type VisitDigests } from './evidence.store.ts';
import { type Evidence, usedBy } from './gate-rules.ts';

/** What plugins there are, which are part of what binds a result: another version may say something else. */
export type ListedPlugins = Pick<PluginHost, 'list'>;

/** What approvals are given for. */
export interface AskedFor {
  readonly gate: GateDefinition | undefined;
  /** Of the gate, the versions of the artifacts and the tasks. */
  readonly evidenceDigest: string;
}

export async function readAskedFor(em: EntityManager, ticket: TicketRow): Promise<AskedFor> {
  const gate = await findGate(em, ticket);
  return { gate, evidenceDigest: digestEvidence(gate, await readVisitDigests(em, ticket.visitId, { withAttempts: false })) };
}

/** What a result of a gate is bound to, without what it stands for. */
export interface Binding extends AskedFor {
  /** Of the evidence and, where validators are asked, of who they are and of what else they are shown of the ticket. */
  readonly shownDigest: string;
  /** Those that were asked for about this evidence. */
  readonly approvals: readonly Approval[];
  /** Of all that binds a result. */
  readonly digest: string;
}

export async function readBinding(em: EntityManager, plugins: ListedPlugins, ticket: TicketRow): Promise<Binding> {
  const gate = await findGate(em, ticket);
  const digests = await readVisitDigests(em, ticket.visitId, { withAttempts: hasValidators(gate) });
  return bind(em, { ticket, gate, judges: judgesOf(plugins, gate), digests });
}

/** What a gate would judge now. */
export interface Judgeable extends Binding, Evidence, People {
  /** The newest versions of the visit. */
  readonly artifacts: readonly JudgedArtifact[];
}

export async function readEvidence(em: EntityManager, plugins: ListedPlugins, ticket: TicketRow): Promise<Judgeable> {
  const gate = await findGate(em, ticket);
  const { digests, ...evidence } = await readVisitEvidence(em, ticket.visitId, { withAttempts: hasValidators(gate) });
  const people = await readPeople(em, ticket, gate);
  return { ...(await bind(em, { ticket, gate, judges: judgesOf(plugins, gate), digests })), ...evidence, ...people };
}

/** As far as the gate asks anybody. */
async function readPeople(em: EntityManager, ticket: TicketRow, gate: GateDefinition | undefined): Promise<People> {
  const { approvals: rules } = gate ?? {};
  if (rules === undefined) return { authors: new Map(), strangers: new Set() };
  const named = [...new Set(rules.flatMap(({ by = [] }) => by))];
  return { authors: await listAuthors(em, ticket.id), strangers: await listStrangers(em, ticket.projectId, named) };
}

export const findGate = async (em: EntityManager, { workflowId, phase }: TicketRow): Promise<GateDefinition | undefined> =>
  findPhase((await getWorkflow(em, workflowId)).definition, phase)?.gate;

const hasValidators = (gate: GateDefinition | undefined): boolean => (gate?.validators.length ?? 0) > 0;

/** The validators that a gate may ask, each with its plugin and the version of that; alone where no plugin offers it. */
function judgesOf(plugins: ListedPlugins, gate: GateDefinition | undefined): string[][] {
  const uses = gate === undefined ? [] : usedBy(gate);
  const enabled = uses.length === 0 ? [] : plugins.list();
  return uses.map((use) => {
    const plugin = enabled.find(({ validators }) => validators.includes(use));
    return plugin === undefined ? [use] : [use, plugin.name, plugin.version];
  });
}

interface Found {
  readonly ticket: TicketRow;
  readonly gate: GateDefinition | undefined;
  readonly judges: string[][];
  readonly digests: VisitDigests;
}

async function bind(em: EntityManager, { ticket, gate, judges, digests }: Found): Promise<Binding> {
  const evidenceDigest = digestEvidence(gate, digests);
  const { attempts } = digests;
  const shown = { evidence: evidenceDigest, judges, ...(hasValidators(gate) && { ticket: shownOf(ticket), attempts }) };
  const shownDigest = judges.length === 0 ? evidenceDigest : digestOf(shown).sha256;
  const approvals = gate?.approvals === undefined ? [] : await listApprovalsOf(em, ticket.visitId, evidenceDigest);
  return { gate, evidenceDigest, shownDigest, approvals, digest: bindApprovals(shownDigest, approvals) };
}

const digestEvidence = (gate: GateDefinition | undefined, { artifacts, tasks }: VisitDigests): string =>
  digestOf({ gate: (gate ?? null) as unknown as JsonValue, artifacts, tasks }).sha256;

/** What validators are shown of a ticket and can change in a visit. Not its version and its times, which say nothing of their own. */
const shownOf = ({ title, description = null, priority, metadata }: TicketRow): JsonValue => ({ title, description, priority, metadata });

/** The digest of a result: of what was shown and, where approvals were asked for, of what has become of them. */
export const bindApprovals = (shownDigest: string, approvals: readonly Approval[]): string =>
  approvals.length === 0 ? shownDigest : digestOf({ shown: shownDigest, approvals: approvals.map(({ id, state }) => [id, state]) }).sha256;
