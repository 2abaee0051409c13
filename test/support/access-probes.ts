import type { MethodName, ParamsInput } from '@baton/protocol';
import type { Objects } from './tenant.ts';

/** Calls of a method that name objects: of some project and, where a call needs something of its own as well, of its own. */
type Probe<M extends MethodName> = (named: Objects, own: Objects) => readonly ParamsInput<M>[];

const fact = { kind: 'fact', text: 'Said by a probe.' } as const;
const report = { type: 'report', content: { by: 'a probe' } };
const task = { type: 'nobody-does-this' };

/**
 * For every method, calls that name each kind of object the method can name. In this order each succeeds in a project of its
 * own: what ends things comes last.
 */
export const probes: { readonly [M in MethodName]: Probe<M> } = {
  'coordinator/info': () => [{}],
  'rpc.discover': () => [{}],
  'project/list': () => [{}],
  'project/status': () => [{}],
  'project/create': ({ project }) => [{ name: project }],
  'workflow/list': () => [{}],
  'workflow/get': ({ workflow }) => [{ name: workflow }],
  'workflow/put': ({ workflow: name }) => [
    { definition: { name, phases: [{ name: 'A' }, { name: 'B' }], edges: [{ from: 'A', to: 'B', kind: 'forward' }] } },
  ],
  'plugin/list': () => [{}],
  'plugin/switchOn': () => [{ plugin: '@baton/plugin-criteria' }],
  'phase/list': ({ workflow }) => [{ workflow }],
  'ticket/list': () => [{}],
  'ticket/get': ({ ticketId }) => [{ ticketId }],
  'ticket/history': ({ ticketId }) => [{ ticketId }],
  'ticket/validTransitions': ({ ticketId }) => [{ ticketId }],
  'ticket/update': ({ ticketId }) => [{ ticketId, version: 1, title: 'Another title' }],
  'ticket/create': ({ workflow }) => [{ title: 'Made by a probe', workflow: { name: workflow } }],
  'task/list': ({ ticketId }) => [{ ticketId }],
  'task/get': ({ runningId }) => [{ taskId: runningId }],
  'task/submit': ({ ticketId, runningId, readyId }, own) => [
    { ticketId, tasks: [task] },
    { ticketId: own.ticketId, tasks: [task], parent: { taskId: runningId, attempt: 1 } },
    { ticketId: own.ticketId, tasks: [{ ...task, dependsOn: [readyId] }] },
  ],
  'scheduler/readyTasks': ({ ticketId }) => [{ ticketId }],
  'scheduler/dagStatus': ({ ticketId }) => [{ ticketId }],
  'scheduler/explain': ({ readyId, agentId }) => [{ taskId: readyId }, { agentId }],
  'scheduler/assign': ({ ticketId, readyId, agentId }) => [{ ticketId }, { taskIds: [readyId] }, { agentIds: [agentId] }],
  'agent/list': () => [{}],
  'agent/get': ({ agentId }) => [{ agentId }],
  'agent/search': () => [{ capabilities: ['probe'] }],
  'agent/bestFit': () => [{ capabilities: ['probe'] }],
  'agent/statistics': () => [{}],
  'agent/health': ({ agentId }) => [{ agentId }],
  'agent/register': ({ agentName, sessionToken }) => [
    { name: agentName, capabilities: ['probe'], capacity: 10, resumeToken: sessionToken },
  ],
  'agent/heartbeat': ({ runningId, failingId, releasedId, cancelledId }) => [
    { attempts: [runningId, failingId, releasedId, cancelledId].map((taskId) => ({ taskId, attempt: 1 })) },
  ],
  'agent/update': () => [{ capacity: 10 }],
  'agent/setAvailability': ({ agentId }) => [{ available: true, agentId }],
  'lock/list': ({ runningId, agentId }) => [{ taskId: runningId }, { agentId }],
  'lock/get': ({ lockKey }) => [{ key: lockKey }],
  'lock/check': ({ lockKey }) => [{ key: lockKey, fence: 1 }],
  'lock/acquire': ({ runningId, lockKey }) => [
    { keys: [{ key: lockKey }] },
    { keys: [{ key: 'place:probed' }], taskId: runningId, attempt: 1 },
  ],
  'lock/define': ({ lockKey }) => [{ key: lockKey, places: 2 }],
  'lock/renew': ({ runningId, lockKey }) => [{ keys: [lockKey] }, { keys: ['place:probed'], taskId: runningId, attempt: 1 }],
  'lock/release': ({ runningId, lockKey }) => [{ keys: [lockKey] }, { taskId: runningId, attempt: 1 }],
  'artifact/list': ({ ticketId }) => [{ ticketId }, { ticketId, current: true }],
  'artifact/get': ({ artifactId }) => [{ artifactId }],
  'artifact/put': ({ ticketId, runningId }, own) => [
    { ticketId, artifact: report },
    { ticketId: own.ticketId, artifact: report, taskId: runningId, attempt: 1 },
  ],
  'context/list': ({ ticketId }) => [{ ticketId }],
  'context/get': ({ ticketId }) => [{ ticketId }],
  'context/aggregate': ({ ticketId }) => [{ ticketId, phase: 'BACKLOG' }],
  // The first item of the ticket tells of its artifact, of which another probe stores a newer version; the second was noted.
  'context/expand': ({ ticketId }) => [{ ticketId, citation: 'c:2' }],
  'context/rehydrate': () => [{}],
  'context/pin': ({ ticketId, runningId }, own) => [
    { ticketId, citation: 'c:2' },
    { ticketId: own.ticketId, citation: 'c:2', taskId: runningId, attempt: 1 },
  ],
  'context/supersede': ({ ticketId, runningId }, own) => [
    { ticketId, citation: 'c:2', by: { kind: 'fact', text: 'Said instead by a probe.' }, reason: 'A probe knows better.' },
    { ticketId: own.ticketId, citation: 'c:4', by: 'c:5', reason: 'A probe knows better.', taskId: runningId, attempt: 1 },
  ],
  'context/note': ({ ticketId, runningId }, own) => [
    { ticketId, item: fact },
    { ticketId: own.ticketId, item: fact, taskId: runningId, attempt: 1 },
  ],
  'gate/explain': ({ ticketId }) => [{ ticketId }],
  'approval/list': ({ ticketId }) => [{ ticketId }],
  'gate/status': ({ ticketId }) => [{ ticketId }],
  'gate/results': ({ ticketId }) => [{ ticketId }],
  'gate/validate': ({ ticketId }) => [{ ticketId }],
  'event/list': ({ ticketId }) => [{ ticketId }],
  'event/subscribe': ({ ticketId }) => [{ ticketId }],
  'event/unsubscribe': ({ subscriptionId }) => [{ subscriptionId }],
  'token/list': ({ project }) => [{ project }],
  'token/create': ({ project }) => [{ name: 'probe', role: 'viewer', project }],
  'task/claim': () => [{}],
  'task/progress': ({ runningId }) => [{ taskId: runningId, attempt: 1, progress: { percentage: 50 } }],
  'task/complete': ({ runningId }) => [{ taskId: runningId, attempt: 1 }],
  'task/fail': ({ failingId }) => [{ taskId: failingId, attempt: 1, error: { message: 'Said by a probe.' } }],
  'task/release': ({ releasedId }) => [{ taskId: releasedId, attempt: 1 }],
  'task/cancel': ({ readyId }) => [{ taskId: readyId }],
  'task/retry': ({ readyId }) => [{ taskId: readyId }],
  'task/deadLetters': ({ ticketId }) => [{ ticketId }],
  'task/cancelAll': ({ ticketId }) => [{ ticketId, states: ['blocked'] }],
  'agent/setState': ({ agentId }) => [{ agentId, state: 'maintenance', reason: 'Said by a probe.' }],
  'agent/drain': () => [{}],
  'agent/deregister': () => [{}],
  'approval/decide': ({ approvalId }) => [{ approvalId, decision: 'approve' }],
  'ticket/transition': ({ ticketId }) => [{ ticketId, to: 'BLOCKED' }],
  'ticket/unblock': ({ ticketId }) => [{ ticketId }],
  'ticket/block': ({ ticketId }) => [{ ticketId, reason: 'A probe blocks it.' }],
  'ticket/cancel': ({ ticketId }) => [{ ticketId, reason: 'A probe cancels it.' }],
  'token/revoke': ({ tokenId }) => [{ tokenId }],
};
