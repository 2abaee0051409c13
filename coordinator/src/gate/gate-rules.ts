import type { Finding, GateDefinition, GateReason, GateStatus, GateValidator, JsonObject, Verdict } from '@baton/protocol';
import type { JudgedTask } from './gate.store.ts';

/** All that a gate judges, as it stands at one moment. */
export interface Evidence {
  readonly artifacts: readonly { readonly type: string }[];
  readonly tasks: readonly JudgedTask[];
}

export const isOpen = ({ state }: JudgedTask) => state === 'blocked' || state === 'ready' || state === 'running';

/** What a gate lacks that can be known without running a validator; all of it, not only the first. */
export function findMissing(gate: GateDefinition, { artifacts, tasks }: Evidence): GateReason[] {
  const stored = new Set(artifacts.map(({ type }) => type));
  const missing = gate.artifacts
    .filter((type) => !stored.has(type))
    .map((type): GateReason => ({ code: 'artifact_missing', artifactType: type, message: `There is no artifact ${type} in this visit.` }));
  const open = tasks
    .filter(isOpen)
    .map((task): GateReason => ({ code: 'task_open', taskId: task.id, message: `The task "${task.title}" is ${task.state}.` }));
  const failed = tasks
    .filter(({ state }) => state === 'failed')
    .map((task): GateReason => ({
      code: 'task_failed',
      taskId: task.id,
      message: `The task "${task.title}" failed: ${task.error?.message ?? 'no reason given'}`,
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
  if (missing.every(({ code }) => code === 'approval_waiting')) return 'waiting_approval';
  return missing.every(({ code }) => code === 'task_open') ? 'waiting_tasks' : 'blocked';
}

/** No-code criteria are a validator like any other, known by this name. */
const criteriaValidator = 'criteria';

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

/** All reasons in one line, for a person. */
export const toSentence = (reasons: readonly GateReason[]): string =>
  reasons.map(({ message }) => message.replace(/[.\s]+$/, '')).join('; ');
