import { CoordinatorError, type Result } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { getLastSeq, listEvents } from './event.store.ts';
import type { Subscriptions } from './subscriptions.ts';

export const eventHandlers = (subscriptions: Subscriptions): HandlersOf<'event'> => ({
  'event/list': async (query, { em, caller }) => ({
    events: (await listEvents(em, { ...query, projectId: caller.projectId })) as Result<'event/list'>['events'],
    lastSeq: await getLastSeq(em, caller.projectId),
  }),

  'event/subscribe': async ({ after, ticketId }, { em, caller, peer }) => {
    if (peer === undefined)
      throw new CoordinatorError('invalid_request', { message: 'Subscriptions need a WebSocket; over HTTP, read event/list.' });
    if (ticketId !== undefined) await getTicket(em, caller.projectId, ticketId);
    const from = after ?? (await getLastSeq(em, caller.projectId));
    return { subscriptionId: subscriptions.add(peer, { projectId: caller.projectId, after: from, ticketId }), after: from };
  },

  'event/unsubscribe': async ({ subscriptionId }, { peer }) => {
    if (peer === undefined || !subscriptions.remove(peer, subscriptionId))
      throw new CoordinatorError('subscription_not_found', { subscriptionId });
    return {};
  },
});
