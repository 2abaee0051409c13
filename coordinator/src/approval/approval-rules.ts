import {
  type Approval,
  type ApprovalDecision,
  type ApprovalRule,
  type GateReason,
  mayAccess,
  type Role,
  roleAccess,
} from '@baton/protocol';

export interface Decider {
  /** Of the token. */
  readonly name: string;
  readonly role: Role;
}

/** Who may decide where a rule names neither people nor roles. */
const usualRoles: readonly Role[] = ['operator', 'admin'];

/** Why somebody may not decide, with what would help; undefined where he may. The authors are names of tokens. */
export function whyNot(rule: ApprovalRule, { name, role }: Decider, authors: ReadonlySet<string>): string | undefined {
  if (rule.by !== undefined && !rule.by.includes(name))
    return `It takes a token of the name ${rule.by.join(' or ')}; yours is ${name}. What an agent calls itself does not count.`;
  const roles = rule.roles ?? (rule.by === undefined ? usualRoles : undefined);
  if (roles !== undefined && !roles.some((wanted) => mayAllOf(role, wanted)))
    return `It takes a token with the role ${roles.join(' or ')}; your token ${name} has the role ${role}.`;
  if (!rule.authorsMay && authors.has(name))
    return `What is to be approved was made with your token ${name}, too. Decide with a token of another name (\`baton token create\`), give the agents tokens of their own, or let the gate say authorsMay: true.`;
  return undefined;
}

/** As everywhere, whoever may more than a role may what it may. */
const mayAllOf = (role: Role, wanted: Role): boolean => roleAccess[wanted].every((access) => mayAccess(role, access));

/** What the decisions come to. With `onRefusal: 'count'` and no list of names, nobody knows who is left, and refusals only count themselves. */
export function settle(
  { count, by, onRefusal }: ApprovalRule,
  decisions: readonly Pick<ApprovalDecision, 'decision'>[],
): 'waiting' | 'approved' | 'refused' {
  const given = decisions.filter(({ decision }) => decision === 'approve').length;
  const refused = decisions.length - given;
  if (refused > 0 && onRefusal === 'refuse') return 'refused';
  if (given >= count) return 'approved';
  return by !== undefined && new Set(by).size - refused < count ? 'refused' : 'waiting';
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
