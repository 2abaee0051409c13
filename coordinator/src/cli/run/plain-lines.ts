import type { RecordedEvent } from '@baton/protocol';
import { formatDuration } from '../../duration.ts';
import { countEach, firstLine, inShort, lastWords } from './brief.ts';
import { waitsForApproval } from './run-state.ts';

/** An event as one line of text without colours, or undefined for what is of no interest to who watches. */
export function toPlainLine(event: RecordedEvent, startedAt: number): string | undefined {
  const text = describeEvent(event);
  return text === undefined ? undefined : `${formatElapsed(Date.parse(event.at) - startedAt)}  ${text}`;
}

/** Of one width, so that lines stand under each other. */
export const formatElapsed = (ms: number): string => `${(Math.max(ms, 0) / 1_000).toFixed(1).padStart(6)}s`;

function describeEvent(event: RecordedEvent): string | undefined {
  switch (event.name) {
    case 'ticket.created':
      return `ticket ${event.data.ticketId} «${event.data.title}» begins in ${event.data.phase}`;
    case 'ticket.transitioned': {
      const { from, to, kind, visit, reason } = event.data;
      // A gate has said its reasons just before.
      const why = reason === undefined ? '' : `: ${inShort(reason, reasonMax)}`;
      return `${from} → ${to}${kind === 'forward' ? '' : ` (${kind})`}, visit ${visit}${why}`;
    }
    case 'ticket.hindered':
      return `${event.data.phase} does not go on: ${inShort(event.data.reason, reasonMax)}`;
    case 'ticket.gateForced':
      return `gate ${event.data.phase} was passed by force, by ${event.data.by}: ${firstLine(event.data.reason)}`;
    case 'gate.evaluated': {
      const { phase, outcome, reasons } = event.data;
      return [
        `gate ${phase} ${waitsForApproval(event.data) ? 'waits' : outcome}`,
        ...countEach(reasons.map(({ message }) => lastWords(message))).map((message) => `${indent}${message}`),
      ].join('\n');
    }
    case 'task.submitted': {
      const { phase, taskCount, parentTaskId } = event.data;
      return `${phase}: ${taskCount} task${taskCount === 1 ? '' : 's'}${parentTaskId === undefined ? '' : ', submitted by a task'}`;
    }
    case 'task.claimed': {
      const { title, agentName, attempt, locks, lockWaitMs } = event.data;
      const held = locks.length === 0 ? '' : `, holds ${locks.map(({ key, fence }) => `${key}#${fence}`).join(', ')}`;
      const waited = lockWaitMs > 0 ? ` after ${formatDuration(lockWaitMs)} of waiting` : '';
      return `▶ ${title} → ${agentName}${attempt === 1 ? '' : ` (attempt ${attempt})`}${held}${held === '' ? '' : waited}`;
    }
    case 'task.reserved':
      return `… ${event.data.title} is kept for ${event.data.agentName} for ${formatDuration(event.data.forMs)}`;
    case 'task.deferred':
      return `… ${event.data.title} waits for ${event.data.key}, held by ${event.data.holders.join(', ')}`;
    case 'task.completed': {
      const { title, durationMs, summary } = event.data;
      return `✓ ${title} in ${formatDuration(durationMs)}${summary === undefined ? '' : `: ${firstLine(summary)}`}`;
    }
    case 'task.requeued': {
      const { title, attempt, outcome, error, retryInMs } = event.data;
      return `↻ ${title}: attempt ${attempt} ${outcome.replace('_', ' ')}, again in ${formatDuration(retryInMs)}: ${lastWords(error.message)}`;
    }
    case 'task.failed':
      return `✗ ${event.data.title}: ${lastWords(event.data.error.message)}`;
    case 'task.cancelled':
      return `- ${event.data.title} cancelled${event.data.reason === undefined ? '' : `: ${firstLine(event.data.reason)}`}`;
    case 'task.skipped':
      return `- ${event.data.title} skipped: ${firstLine(event.data.reason)}`;
    case 'task.reopened':
      return `↻ ${event.data.title} reopened`;
    case 'context.noted':
      return `${event.data.kind} ${event.data.citation} by ${event.data.author}: ${firstLine(event.data.text)}`;
    case 'artifact.stored':
      return `artifact ${event.data.type} ${event.data.name} v${event.data.version} by ${event.data.author}`;
    case 'approval.requested':
      return `${event.data.phase} waits for the approval "${event.data.name}" (${event.data.count}): baton approve ${event.data.approvalId}`;
    case 'approval.decided':
      return `${event.data.by} ${event.data.decision === 'approve' ? 'approved' : 'refused'} "${event.data.name}"${event.data.comment === undefined ? '' : `: ${firstLine(event.data.comment)}`}`;
    case 'approval.cancelled':
      return `the approval "${event.data.name}" is no longer waited for: ${event.data.reason}`;
    case 'ticket.updated':
      return `the ticket's ${event.data.changed.join(', ')} changed by ${event.data.by}`;
    case 'ticket.cancelled':
      return `the ticket was cancelled by ${event.data.by}: ${firstLine(event.data.reason)}`;
    case 'context.pinned':
    case 'context.recorded':
    case 'context.summarized':
    case 'context.superseded':
      // They add to what a pack tells, which who watches a run does not read.
      return undefined;
    case 'agent.registered':
    case 'agent.deregistered':
    case 'agent.lost':
    case 'agent.capability.updated':
    case 'agent.availabilityChanged':
    case 'agent.stateChanged':
    case 'lock.defined':
    case 'lock.expired':
    case 'plugin.switchedOff':
    case 'token.created':
    case 'token.revoked':
      // They belong to no ticket; who runs the agents speaks of them.
      return undefined;
  }
}

const indent = ' '.repeat(11);
const reasonMax = 120;
