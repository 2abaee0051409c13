import type { Approval, Finding, GateDefinition, GateReason, GateStatus, GateValidator, JsonObject, Verdict } from '@baton/protocol';
import { findMissingApprovals } from '../approval/approval-rules.ts';
import type { JudgedTask } from './evidence.store.ts';

/** All that a gate judges, as it stands at one moment. */
export interface Evidence {
  readonly artifacts: readonly { readonly type: string }[];
  readonly tasks: readonly JudgedTask[];
}

export const isOpen = ({ state }: JudgedTask) => state === 'blocked' || state === 'ready' || state === 'running';

/** Why a gate does not let a ticket go: all of it, each thing once. `held` is why its validators hold it, as far as they were asked. */
export function findMissing(
  gate: GateDefinition | undefined,
  { approvals, ...evidence }: Evidence & { readonly approvals: readonly Approval[] },
  held: readonly GateReason[] = [],
): GateReason[] {
  if (gate === undefined) return [];
  const lacking = findLacking(gate, evidence);
  const rest = [...lacking, ...held.filter((reason) => !followsFrom(lacking, reason))];
  const waiting = findMissingApprovals(gate.approvals ?? [], approvals);
  return [...rest, ...waiting.map((reason) => tellWhen(reason, rest))];
}

/** A validator that skips for want of an artifact says again what has been said. It names what it did not find. */
const followsFrom = (lacking: readonly GateReason[], { code, message }: GateReason): boolean =>
  code === 'validator_skipped' && lacking.some(({ artifactType }) => artifactType !== undefined && namesIn(message).has(artifactType));

/** The words of a text that may be types of artifacts, without the full stops of sentences. */
const namesIn = (text: string): Set<string> => new Set(text.match(/[a-z0-9_.-]*[a-z0-9_-]/g));

/** What nobody has been asked for yet is asked for by who judges the gate, once everything else is there. */
function tellWhen(reason: GateReason, rest: readonly GateReason[]): GateReason {
  if (reason.code !== 'approval_waiting' || reason.approval?.id !== undefined) return reason;
  const message = reason.message.replace(/\.$/, '');
  return rest.length === 0
    ? { ...reason, message: `${message}, which is asked for when the gate is judged.` }
    : { ...reason, code: 'approval_later', message: `${message}, which is asked for once the rest is there.` };
}

/** What is not there that can be known without running a validator. */
function findLacking(gate: GateDefinition, { artifacts, tasks }: Evidence): GateReason[] {
  const stored = new Set(artifacts.map(({ type }) => type));
  const missing = gate.artifacts
    .filter((type) => !stored.has(type))
    .map((type): GateReason => ({ code: 'artifact_missing', artifactType: type, message: `There is no artifact ${type} in this visit.` }));
  const open = tasks.filter(isOpen).map((task): GateReason => ({
    code: 'task_open',
    taskId: task.id,
    message: `The task «${task.title}» is not done: it is ${task.state}.`,
  }));
  const failed = tasks
    .filter(({ state }) => state === 'failed')
    .map((task): GateReason => ({
      code: 'task_failed',
      taskId: task.id,
      message: `The task «${task.title}» failed: ${task.error?.message ?? 'no reason given'}`,
    }));
  const completed = tasks.filter(({ state }) => state === 'completed').length;
  const tooFew: GateReason[] =
    completed >= gate.tasksMin || open.length > 0
      ? []
      : [{ code: 'tasks_too_few', message: `${completed} tasks have been completed; the gate wants ${gate.tasksMin}.` }];
  return [...missing, ...open, ...failed, ...tooFew];
}

export function gateState(gate: GateDefinition | undefined, missing: readonly GateReason[]): GateStatus['state'] {
  if (gate === undefined) return 'not_configured';
  if (missing.length === 0) return 'ready';
  const codes = new Set(missing.map(({ code }) => code));
  // They come by themselves.
  codes.delete('approval_later');
  if (codes.size > 1) return 'blocked';
  return codes.has('approval_waiting') ? 'waiting_approval' : codes.has('task_open') ? 'waiting_tasks' : 'blocked';
}

/** No-code criteria are a validator like any other, known by this name. */
export const criteriaValidator = 'criteria';

/**
 * The validators that a gate runs. Criteria on artifacts that are not there are left out: that they are missing has been said.
 */
export function validatorsOf(gate: GateDefinition, { artifacts }: Evidence): GateValidator[] {
  const stored = new Set(artifacts.map(({ type }) => type));
  const criteria = gate.criteria.filter(({ artifact }) => stored.has(artifact) || !gate.artifacts.includes(artifact));
  if (criteria.length === 0) return gate.validators;
  const config = { criteria } as unknown as JsonObject;
  return [{ use: criteriaValidator, config, requirement: 'required', onError: 'block' }, ...gate.validators];
}

const codeOf = { fail: 'validator_failed', error: 'validator_error', timeout: 'validator_timeout', skipped: 'validator_skipped' } as const;

/** Why a verdict holds the gate; nothing where it does not. A crash, a time-out and a skip are not passes. */
export function reasonsOf(verdict: Verdict, { onError }: Pick<GateValidator, 'onError'>): GateReason[] {
  const { outcome, validator, requirement, findings } = verdict;
  if (outcome === 'pass' || requirement === 'advisory') return [];
  if ((outcome === 'error' || outcome === 'timeout') && onError === 'ignore') return [];
  const said = findings.filter(({ severity }) => severity === 'fail');
  const first = findings[0] ?? { message: `The validator ${validator} said ${outcome}.` };
  return (said.length > 0 ? said : [first]).map((finding) => ({ code: codeOf[outcome], validator, ...toReasonFields(finding) }));
}

const toReasonFields = ({ message, code, path, line }: Pick<Finding, 'message'> & Partial<Finding>) => ({
  message,
  ...(code !== undefined && { findingCode: code }),
  ...(path !== undefined && { path }),
  ...(line !== undefined && { line }),
});

/** A reason for a person, with who says it and what it points at. */
export function describeReason({ validator, message, path, line }: GateReason): string {
  const place = path === undefined ? '' : ` (${path}${line === undefined ? '' : `:${line}`})`;
  return validator === undefined ? message : `${validator}: ${message}${place}`;
}

/** All reasons in one line, for a person. */
export const toSentence = (reasons: readonly GateReason[]): string =>
  reasons.map((reason) => describeReason(reason).replace(/[.\s]+$/, '')).join('; ');
