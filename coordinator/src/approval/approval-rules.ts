import type { Approval, ApprovalDecision, ApprovalRule, GateReason, Role } from '@baton/protocol';

export interface Decider {
  readonly name: string;
  readonly role: Role;
}

/** Who may decide where a rule names neither people nor roles. */
const usualRoles: readonly Role[] = ['operator', 'admin'];

/** Why somebody may not decide; undefined where he may. */
export function whyNot(rule: ApprovalRule, { name, role }: Decider, authors: ReadonlySet<string>): string | undefined {
  if (rule.by !== undefined && !rule.by.includes(name)) return `${name} is not one of ${rule.by.join(', ')}.`;
  const roles = rule.roles ?? (rule.by === undefined ? usualRoles : undefined);
  if (roles !== undefined && !roles.includes(role)) return `It takes the role ${roles.join(' or ')}; ${name} has the role ${role}.`;
  if (!rule.authorsMay && authors.has(name)) return `${name} is an author of what is to be approved.`;
  return undefined;
}

/** What the decisions come to. With `onRefusal: 'count'` and no list of names, nobody knows who is left, and refusals only count themselves. */
export function settle(
  { count, by, onRefusal }: ApprovalRule,
  decisions: readonly Pick<ApprovalDecision, 'decision'>[],
): 'waiting' | 'approved' | 'refused' {
  const given = decisions.filter(({ decision }) => decision === 'approve').length;
  const refused = decisions.length - given;
  if (refused > 0 && onRefusal === 'refuse') return 'refused';
  if (given >= count) return 'approved';
  return by !== undefined && by.length - refused < count ? 'refused' : 'waiting';
}

/** What a gate lacks of its approvals, where nothing else is lacking. */
export function findMissingApprovals(rules: readonly ApprovalRule[], approvals: readonly Approval[]): GateReason[] {
  return rules.flatMap((rule) => {
    const approval = approvals.find((each) => each.rule.name === rule.name);
    return approval?.state === 'approved' ? [] : [toReason(rule, approval)];
  });
}

function toReason(rule: ApprovalRule, approval: Approval | undefined): GateReason {
  const { name, count: needed } = rule;
  const given = approval?.decisions.filter(({ decision }) => decision === 'approve').length ?? 0;
  const facts = { approval: { name, given, needed, ...(approval !== undefined && { id: approval.id }) } };
  switch (approval?.state) {
    case 'refused':
      return { code: 'approval_refused', message: `"${name}" was refused${describeRefusals(approval)}.`, ...facts };
    case 'expired':
      return { code: 'approval_expired', message: `"${name}" was not given in time: ${given} of ${needed}.`, ...facts };
    default:
      return { code: 'approval_waiting', message: `"${name}" waits for ${describeWanted(rule, needed - given)}.`, ...facts };
  }
}

const describeRefusals = ({ decisions }: Approval): string =>
  decisions
    .filter(({ decision }) => decision === 'refuse')
    .map(({ by, comment }) => ` by ${by}${comment === undefined ? '' : `: ${comment.replace(/[.\s]+$/, '')}`}`)
    .join(',');

function describeWanted({ by, roles }: ApprovalRule, missing: number): string {
  const whom = by?.join(', ') ?? `the role ${(roles ?? usualRoles).join(' or ')}`;
  return `${missing} ${missing === 1 ? 'approval' : 'approvals'} of ${whom}`;
}
