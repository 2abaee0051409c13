import { approvalStates, type Approval } from '@baton/protocol';
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
    head: ['ID', 'TICKET', 'PHASE', 'NAME', 'STATE', 'GIVEN', 'BY', 'AGE', 'EXPIRES IN'],
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
    ],
    none: all ? 'There are no approvals.' : 'Nothing waits for an approval.',
  });
}

const countGiven = ({ decisions }: Approval): number => decisions.filter(({ decision }) => decision === 'approve').length;
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
  const { rule, state, phase, ticketId } = approval;
  const stands = state === 'waiting' ? `has ${countGiven(approval)} of ${rule.count}` : `is ${state}`;
  printLine(shell.stdout, json ? JSON.stringify(approval) : `"${rule.name}" of ${phase} in the ticket ${ticketId} ${stands}.`);
  return 0;
}
