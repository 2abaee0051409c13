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

/** Whose work is to be approved: the names of tokens, with their roles. */
export type Authors = ReadonlyMap<string, Role>;

/** Who stands in whose way: what the people of a gate have to do with what it judges. */
export interface People {
  readonly authors: Authors;
  /** Those whom the gate asks and no token is for. */
  readonly strangers: ReadonlySet<string>;
}

/** Why somebody may not decide, with what would help; undefined where he may. */
export function whyNot(rule: ApprovalRule, { name, role }: Decider, authors: Authors): string | undefined {
  if (rule.by !== undefined && !rule.by.includes(name))
    return `It takes a token of the name ${rule.by.join(' or ')}; yours is ${name}. What an agent calls itself does not count.`;
  const roles = rolesOf(rule);
  if (roles !== undefined && !fits(roles, role))
    return `It takes a token with the role ${roles.join(' or ')}; your token ${name} has the role ${role}.`;
  if (!rule.authorsMay && authors.has(name))
    return `What is to be approved was made with your token ${name}, too. Decide with a token of another name (\`baton token create\`), give the agents tokens of their own, or let the gate say authorsMay: true.`;
  return undefined;
}

/**
 * Why somebody may not ask anew for what was refused; undefined where he may. Whose work was refused does not ask again until somebody
 * says yes.
 */
export function whyNotAnew({ name: approval, authorsMay }: ApprovalRule, { name, role }: Decider, authors: Authors): string | undefined {
  const what = `"${approval}" was refused`;
  if (!mayAccess(role, 'operate'))
    return `${what}. To ask for it anew takes a token with the role operator or admin; your token ${name} has the role ${role}. Change what was refused: then it is asked for by itself.`;
  if (!authorsMay && authors.has(name))
    return `${what}, and what it is about was made with your token ${name}, too. Somebody else may ask for it anew; or change what was refused: then it is asked for by itself.`;
  return undefined;
}

const rolesOf = ({ by, roles }: ApprovalRule): readonly Role[] | undefined => roles ?? (by === undefined ? usualRoles : undefined);

/** As everywhere, whoever may more than a role may what it may. */
const fits = (roles: readonly Role[], role: Role): boolean =>
  roles.some((wanted) => roleAccess[wanted].every((access) => mayAccess(role, access)));

/** Who could decide but for the part that they have in the work. */
function excludedBy(rule: ApprovalRule, authors: Authors): string[] {
  if (rule.authorsMay) return [];
  const { by, roles = usualRoles } = rule;
  // Somebody who is named may not decide with any token, whatever role the work was made with.
  return [...authors].filter(([name, role]) => by?.includes(name) ?? fits(roles, role)).map(([name]) => name);
}

/** How many of those whom a rule names may decide; undefined where it names nobody, and anybody may come whose role fits. */
const countVoices = (rule: ApprovalRule, authors: Authors): number | undefined =>
  rule.by && new Set(rule.by).size - excludedBy(rule, authors).length;

/** What the decisions come to. With `onRefusal: 'count'` and no list of names, nobody knows who is left, and refusals only count themselves. */
export function settle(
  rule: ApprovalRule,
  decisions: readonly Pick<ApprovalDecision, 'decision'>[],
  authors: Authors,
): 'waiting' | 'approved' | 'refused' {
  const { count, onRefusal } = rule;
  const given = decisions.filter(({ decision }) => decision === 'approve').length;
  const refused = decisions.length - given;
  if (refused > 0 && onRefusal === 'refuse') return 'refused';
  if (given >= count) return 'approved';
  const left = (countVoices(rule, authors) ?? Number.POSITIVE_INFINITY) - refused;
  return refused > 0 && left < count ? 'refused' : 'waiting';
}

/** What a gate lacks of its approvals, where nothing else is lacking. */
export function findMissingApprovals(rules: readonly ApprovalRule[], approvals: readonly Approval[], people: People): GateReason[] {
  return rules.flatMap((rule) => {
    const approval = approvals.find((each) => each.rule.name === rule.name);
    return approval?.state === 'approved' ? [] : [toReason(rule, approval, people)];
  });
}

function toReason(rule: ApprovalRule, approval: Approval | undefined, { authors, strangers }: People): GateReason {
  const { name, count: needed } = rule;
  const given = approval?.decisions.filter(({ decision }) => decision === 'approve').length ?? 0;
  const facts = { approval: { name, given, needed, ...(approval !== undefined && { id: approval.id }) } };
  switch (approval?.state) {
    case 'refused':
      return { code: 'approval_refused', message: `"${name}" was refused${describeRefusals(approval)}.`, ...facts };
    case 'expired':
      return { code: 'approval_expired', message: `"${name}" was not given in time: ${given} of ${needed}.`, ...facts };
    default:
      return (countVoices(rule, authors) ?? needed) < needed
        ? { code: 'approval_impossible', message: describeImpossible(rule, authors), ...facts }
        : {
            code: 'approval_waiting',
            message: `"${name}" waits for ${describeWanted(rule, authors, needed - given)}${describeStrangers(rule, strangers)}.`,
            ...facts,
          };
  }
}

function describeImpossible(rule: ApprovalRule, authors: Authors): string {
  const { name, count, by = [] } = rule;
  const wanted = `It takes ${count} of ${by.join(', ')}, and what is to be approved was made with ${describeNames(excludedBy(rule, authors))}`;
  return `"${name}" cannot be given. ${wanted}. An admin may force this ticket on; for others the gate can name more, or say authorsMay: true.`;
}

const describeRefusals = ({ decisions }: Approval): string =>
  decisions
    .filter(({ decision }) => decision === 'refuse')
    .map(({ by, comment }) => ` by ${by}${comment === undefined ? '' : `: ${comment.replace(/[.\s]+$/, '')}`}`)
    .join(',');

function describeWanted(rule: ApprovalRule, authors: Authors, missing: number): string {
  const whom = rule.by?.join(', ') ?? `the role ${(rule.roles ?? usualRoles).join(' or ')}`;
  const excluded = excludedBy(rule, authors);
  const but = excluded.length === 0 ? '' : ` (not of ${describeNames(excluded)}, whose work it is)`;
  return `${missing} ${missing === 1 ? 'approval' : 'approvals'} of ${whom}${but}`;
}

/** A name may be misspelt, or its token not made yet. */
function describeStrangers({ by = [] }: ApprovalRule, strangers: ReadonlySet<string>): string {
  const unknown = by.filter((name) => strangers.has(name));
  if (unknown.length === 0) return '';
  return `; there is no token for ${describeNames(unknown)} (\`baton token create NAME --role operator\`, or the gate names somebody else)`;
}

/** How many names a sentence bears. */
const namesMax = 5;

const describeNames = (names: readonly string[]): string =>
  names.length <= namesMax ? names.join(', ') : `${names.slice(0, namesMax).join(', ')} and ${names.length - namesMax} others`;
