import { CoordinatorError } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Peer } from '../call.ts';

export interface SubscriptionStart {
  readonly projectId: string;
  readonly after: number;
  readonly ticketId: string | undefined;
}

/** One follower of a project's stream, with how far it has been told. */
export interface Subscription extends SubscriptionStart {
  readonly id: string;
  readonly peer: Peer;
  told: number;
}

/** Who follows which stream. The event publisher reads it; connections that close leave by themselves. */
export interface Subscriptions {
  /** @throws CoordinatorError `limit_exceeded` where the connection has as many as it may */
  add(peer: Peer, start: SubscriptionStart): string;
  remove(peer: Peer, id: string): boolean;
  all(): readonly Subscription[];
  onAdd(listener: () => void): void;
}

export function createSubscriptions({ subscriptionsMax }: { readonly subscriptionsMax: number }): Subscriptions {
  const byId = new Map<string, Subscription>();
  const idsOf = new Map<Peer, Set<string>>();
  const listeners: (() => void)[] = [];

  // One listener for a connection, not for a subscription: a client may subscribe and unsubscribe for days.
  function forgetAtClose(peer: Peer, own: ReadonlySet<string>): void {
    peer.onClose(() => {
      for (const id of own) byId.delete(id);
      idsOf.delete(peer);
    });
  }

  return {
    add(peer, start) {
      const known = idsOf.get(peer);
      const own = known ?? new Set<string>();
      if (own.size >= subscriptionsMax)
        throw new CoordinatorError('limit_exceeded', { message: `A connection may have ${subscriptionsMax} subscriptions.` });
      const id = uuidv7();
      own.add(id);
      byId.set(id, { ...start, id, peer, told: start.after });
      idsOf.set(peer, own);
      // The connection may have closed while the call was on its way: then this forgets at once.
      if (known === undefined) forgetAtClose(peer, own);
      // In a later turn, so that the answer with the id is sent before the first events.
      setImmediate(() => {
        for (const listener of listeners) listener();
      });
      return id;
    },
    remove(peer, id) {
      if (idsOf.get(peer)?.delete(id) !== true) return false;
      return byId.delete(id);
    },
    all: () => [...byId.values()],
    onAdd: (listener) => void listeners.push(listener),
  };
}
