import type { Approval, Finding, GateDefinition, GateReason, GateStatus, GateValidator, JsonObject, Verdict } from '@baton/protocol';
import { findMissingApprovals, type People } from '../approval/approval-rules.ts';
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
  { approvals, authors, strangers, ...evidence }: Evidence & People & { readonly approvals: readonly Approval[] },
  held: readonly GateReason[] = [],
): GateReason[] {
  if (gate === undefined) return [];
  const lacking = findLacking(gate, evidence);
  const rest = [...lacking, ...held.filter((reason) => !followsFrom(lacking, reason))];
  const waiting = findMissingApprovals(gate.approvals ?? [], approvals, { authors, strangers });
  const refusal = gate.onApprovalRefused === 'cancel_others' ? waiting.find(({ code }) => code === 'approval_refused') : undefined;
  return [...rest, ...waiting.map((reason) => tellWhen(reason, { rest, refused: refusal?.approval?.name }))];
}

/**
 * A validator that fails or skips for want of an artifact says again what has been said. A failure says so by its code; a skip has none,
 * and says it where it says nothing else.
 */
const followsFrom = (lacking: readonly GateReason[], { code, findingCode, message }: GateReason): boolean =>
  lacking.some(({ artifactType: type }) => {
    if (type === undefined) return false;
    if (findingCode === 'artifact_missing') return namesIn(message).has(type);
    return code === 'validator_skipped' && [`There is no artifact ${type}`, `There is no ${type}`].includes(message.replace(/\.$/, ''));
  });

/** The words of a text that may be types of artifacts, without the full stops of sentences. */
const namesIn = (text: string): Set<string> => new Set(text.match(/[a-z0-9_.-]*[a-z0-9_-]/g));

interface Circumstances {
  /** What else is lacking. */
  readonly rest: readonly GateReason[];
  /** The approval whose refusal has cancelled the others. */
  readonly refused: string | undefined;
}

/**
 * What nobody is asked for is asked for by who judges the gate, once everything else is there. Beside a refusal that cancels the
 * others it is not, until somebody renews them.
 */
function tellWhen(reason: GateReason, { rest, refused }: Circumstances): GateReason {
  if (reason.code !== 'approval_waiting' || reason.approval?.id !== undefined) return reason;
  const message = reason.message.replace(/\.$/, '');
  if (refused !== undefined) {
    const why = `which nobody is asked for since "${refused}" was refused`;
    return { ...reason, code: 'approval_refused', message: `${message}, ${why}: gate/validate with renew asks for both anew.` };
  }
  return rest.length === 0
    ? { ...reason, message: `${message}, which is asked for when the gate is judged.` }
    : { ...reason, code: 'approval_later', message: `${message}, which is asked for once the rest is there.` };
}

/** How many tasks of one kind are named among the reasons; the others are counted. */
const namedTasksMax = 100;

/** What is not there that can be known without running a validator. */
function findLacking(gate: GateDefinition, { artifacts, tasks }: Evidence): GateReason[] {
  const stored = new Set(artifacts.map(({ type }) => type));
  const wanted = new Set([...gate.artifacts, ...gate.criteria.map(({ artifact }) => artifact)]);
  const missing = [...wanted]
    .filter((type) => !stored.has(type))
    .map((type): GateReason => ({ code: 'artifact_missing', artifactType: type, message: `There is no artifact ${type} in this visit.` }));
  const open = reasonsOfTasks(tasks.filter(isOpen), {
    code: 'task_open',
    tell: ({ title, state }) => `The task «${title}» is not done: it is ${state}.`,
    tellMore: (more) => `${more} more tasks are not done: task/list names those that are blocked, ready or running.`,
  });
  const failed = reasonsOfTasks(
    tasks.filter(({ state }) => state === 'failed'),
    {
      code: 'task_failed',
      tell: ({ title, error }) => `The task «${title}» failed: ${error?.message ?? 'no reason given'}`,
      tellMore: (more) => `${more} more tasks failed: task/list names those that are failed.`,
    },
  );
  const completed = tasks.filter(({ state }) => state === 'completed').length;
  const tooFew: GateReason[] =
    completed >= gate.tasksMin || open.length > 0
      ? []
      : [{ code: 'tasks_too_few', message: `${completed} tasks have been completed; the gate wants ${gate.tasksMin}.` }];
  return [...missing, ...open, ...failed, ...tooFew];
}

interface TaskWords {
  readonly code: 'task_open' | 'task_failed';
  readonly tell: (task: JudgedTask) => string;
  readonly tellMore: (more: number) => string;
}

/** One reason for each task, and one for all of those that are too many to be named. */
function reasonsOfTasks(tasks: readonly JudgedTask[], { code, tell, tellMore }: TaskWords): GateReason[] {
  const named = tasks.slice(0, namedTasksMax).map((task) => ({ code, taskId: task.id, message: tell(task) }));
  const more = tasks.length - named.length;
  return more === 0 ? named : [...named, { code, message: tellMore(more), more }];
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
  const criteria = gate.criteria.filter(({ artifact }) => stored.has(artifact));
  if (criteria.length === 0) return gate.validators;
  const config = { criteria } as unknown as JsonObject;
  return [{ use: criteriaValidator, config, requirement: 'required', onError: 'block' }, ...gate.validators];
}

/** The validators that a gate may run, by their names. */
export const usedBy = ({ criteria, validators }: GateDefinition): string[] => [
  ...(criteria.length > 0 ? [criteriaValidator] : []),
  ...validators.map(({ use }) => use),
];

const codeOf = { fail: 'validator_failed', error: 'validator_error', timeout: 'validator_timeout', skipped: 'validator_skipped' } as const;

/** Why a verdict holds the gate; nothing where it does not. A crash, a time-out and a skip are not passes. */
export function reasonsOf(verdict: Verdict, { onError }: Pick<GateValidator, 'onError'>): GateReason[] {
  const { outcome, validator, requirement, findings } = verdict;
  if (outcome === 'pass' || requirement === 'advisory') return [];
  if ((outcome === 'error' || outcome === 'timeout') && onError === 'ignore') return [];
  const said = findings.filter(({ severity }) => severity === 'fail');
  // Why it was skipped comes last, after what was found on the way.
  const sole = (outcome === 'skipped' ? findings.at(-1) : findings[0]) ?? { message: `The validator ${validator} said ${outcome}.` };
  return (said.length > 0 ? said : [sole]).map((finding) => ({ code: codeOf[outcome], validator, ...toReasonFields(finding) }));
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

/** How many reasons a sentence tells. */
const toldMax = 10;

/** The first reasons in one line, for a person, and how many more there are. */
export function toSentence(reasons: readonly GateReason[]): string {
  const told = reasons.filter(({ more }) => more === undefined).slice(0, toldMax);
  const untold = reasons.reduce((sum, { more = 1 }) => sum + more, 0) - told.length;
  const sentences = told.map((reason) => describeReason(reason).replace(/[.\s]+$/, ''));
  return [...sentences, ...(untold > 0 ? [`and ${untold} more`] : [])].join('; ');
}
