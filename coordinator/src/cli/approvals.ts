import { type Approval, type ApprovalDecision, approvalStates } from '@baton/protocol';
import { formatDuration } from '../duration.ts';
import { collectPages, printList, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

export interface ApprovalListOptions extends ReadOptions {
  readonly ticket?: string;
  readonly all?: boolean;
}

/** `baton approvals`: what waits for somebody to decide, the oldest first. */
export async function approvals(shell: Shell, { ticket, all = false, ...options }: ApprovalListOptions): Promise<number> {
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const query = { ...page, ...(ticket !== undefined && { ticketId: ticket }), ...(all && { states: [...approvalStates] }) };
      const { approvals: items, next } = await client.approval.list(query);
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['ID', 'TICKET', 'PHASE', 'NAME', 'STATE', 'GIVEN', 'WHO MAY', 'AGE', 'EXPIRES IN', 'DECIDED'],
    row: (approval) => [
      approval.id,
      approval.ticketId,
      approval.phase,
      approval.rule.name,
      approval.state,
      `${countGiven(approval)}/${approval.rule.count}`,
      describeDeciders(approval),
      formatDuration(approval.ageMs),
      approval.expiresInMs === undefined ? '' : formatDuration(approval.expiresInMs),
      [
        ...approval.decisions.map(describeDecision),
        ...(approval.refusedBefore ?? []).map((each) => `before, ${describeDecision(each)}`),
      ].join('; '),
    ],
    none: all ? 'There are no approvals.' : 'Nothing waits for an approval.',
  });
}

const countGiven = ({ decisions }: Approval): number => decisions.filter(({ decision }) => decision === 'approve').length;
const describeDecision = ({ by, decision, comment }: ApprovalDecision): string =>
  `${by} ${decision === 'approve' ? 'approved' : 'refused'}${comment === undefined ? '' : `: ${comment}`}`;
const describeDeciders = ({ rule: { by, roles } }: Approval): string => (by ?? roles ?? ['operator', 'admin']).join(', ');

export interface DecisionOptions extends ReadOptions {
  readonly comment?: string;
}

/** `baton approve` and `baton reject`. */
export async function decide(
  shell: Shell,
  [approvalId, decision]: readonly [string, 'approve' | 'refuse'],
  { comment, json = false, ...options }: DecisionOptions,
): Promise<number> {
  const approval = await ask(await findTarget(options, shell.env), (client) =>
    client.approval.decide({ approvalId, decision, ...(comment !== undefined && { comment }) }),
  );
  printLine(shell.stdout, json ? JSON.stringify(approval) : describeState(approval));
  return 0;
}

/** What the decisions have come to, with those who have refused: a refusal that is only counted has been taken all the same. */
function describeState(approval: Approval): string {
  const { rule, state, phase, ticketId, decisions } = approval;
  const stands = state === 'waiting' ? `waits on, with ${countGiven(approval)} of ${rule.count}` : `is ${state}`;
  const refusals = decisions.filter(({ decision }) => decision === 'refuse').map((each) => `; ${describeDecision(each)}`);
  return `"${rule.name}" of ${phase} in the ticket ${ticketId} ${stands}${refusals.join('')}`.replace(/\.?$/, '.');
}
