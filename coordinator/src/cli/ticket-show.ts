import { type Approval, approvalStates, type GateStatus, type PhaseVisit, type Ticket } from '@baton/protocol';
import { formatDuration } from '../duration.ts';
import { describeReason } from '../gate/gate-rules.ts';
import { collectPages, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { formatTable } from './table.ts';
import { ask, findTarget } from './target.ts';

/** `baton ticket show`: where a ticket stands, how it came there, what its gate lacks, and who has decided what. */
export async function showTicket(shell: Shell, ticketId: string, { json = false, ...options }: ReadOptions): Promise<number> {
  const shown = await ask(await findTarget(options, shell.env), async (client) => {
    const [ticket, visits, gate, approvals] = await Promise.all([
      client.ticket.get({ ticketId }),
      collectPages(async (page) => {
        const { visits: items, next } = await client.ticket.history({ ...page, ticketId });
        return { items, next };
      }),
      client.gate.status({ ticketId }),
      collectPages(async (page) => {
        const { approvals: items, next } = await client.approval.list({ ...page, ticketId, states: [...approvalStates] });
        return { items, next };
      }),
    ]);
    return { ticket, visits, gate, approvals };
  });
  const { ticket, visits, gate, approvals } = shown;
  const parts = [describeTicket(ticket), describeVisits(visits), describeDecisions(approvals), describeGate(ticket, gate)];
  printLine(shell.stdout, json ? JSON.stringify(shown) : parts.filter((part) => part !== '').join('\n\n'));
  return 0;
}

function describeTicket({ title, phase, state, priority, workflow, blockedReason, description }: Ticket): string {
  const stands = `${phase}, ${state}${blockedReason === undefined ? '' : `: ${blockedReason}`}`;
  const more = description === undefined ? '' : `\n\n${description}`;
  return `${title}\n${stands}\npriority ${priority}, workflow ${workflow.name}@${workflow.version}${more}`;
}

const describeVisits = (visits: readonly PhaseVisit[]): string =>
  formatTable(
    ['VISIT', 'PHASE', 'WAY', 'BY', 'STAYED', 'REASON'],
    visits.map(({ number, to, kind, by, reason = '', durationMs }) => [number, to, kind ?? '', by, formatDuration(durationMs), reason]),
  );

function describeDecisions(approvals: readonly Approval[]): string {
  const rows = approvals.flatMap(({ rule, phase, visit, decisions }) =>
    decisions.map(({ by, decision, comment = '' }) => [rule.name, `${phase} (${visit})`, by, decision, comment]),
  );
  return rows.length === 0 ? '' : formatTable(['APPROVAL', 'PHASE', 'BY', 'DECISION', 'COMMENT'], rows);
}

/** What the gate lacks; where that is nothing to be seen, whether it has been asked. */
function describeGate({ phase, state: ticketState }: Ticket, { state, missing, result, stale }: GateStatus): string {
  if (state === 'not_configured' || ticketState === 'closed' || ticketState === 'cancelled') return '';
  if (missing.length > 0)
    return [`The gate of ${phase} is ${state.replace('_', ' ')}.`, ...missing.map((reason) => `  ${describeReason(reason)}`)].join('\n');
  if (result === undefined) return `The gate of ${phase} is ready to be judged.`;
  return stale ? `The gate of ${phase} is ready to be judged anew: what it said no longer stands.` : `The gate of ${phase} is ready.`;
}
