import { expect, test } from 'vitest';
import type { Peer } from '../call.ts';
import { createSubscriptions } from './subscriptions.ts';

const start = { projectId: 'p', after: 0, ticketId: undefined };

/** A connection that counts who listens to its end. */
function openPeer() {
  const listeners: (() => void)[] = [];
  let isClosed = false;
  const peer: Peer = {
    id: 'peer',
    notify: () => {},
    onClose: (listener) => (isClosed ? listener() : void listeners.push(listener)),
  };
  const close = () => {
    isClosed = true;
    for (const listener of listeners) listener();
  };
  return { peer, listeners, close };
}

test('a connection has no more than it may, and one given up makes room', () => {
  const subscriptions = createSubscriptions({ subscriptionsMax: 1 });
  const { peer } = openPeer();
  const id = subscriptions.add(peer, start);

  expect(() => subscriptions.add(peer, start)).toThrow(/may have 1 subscriptions/);
  expect(subscriptions.remove(peer, id)).toBe(true);
  subscriptions.add(peer, start);
});

test('nobody gives up the subscription of another, or one twice', () => {
  const subscriptions = createSubscriptions({ subscriptionsMax: 1 });
  const { peer } = openPeer();
  const id = subscriptions.add(peer, start);

  expect(subscriptions.remove(openPeer().peer, id)).toBe(false);
  expect([subscriptions.remove(peer, id), subscriptions.remove(peer, id)]).toEqual([true, false]);
});

test('subscribing and giving up again and again leaves nothing behind on the connection', () => {
  const subscriptions = createSubscriptions({ subscriptionsMax: 1 });
  const { peer, listeners } = openPeer();

  for (let count = 0; count < 100; count++) subscriptions.remove(peer, subscriptions.add(peer, start));

  expect(listeners).toHaveLength(1);
});

test('all of a connection go with it, also one that comes too late', () => {
  const subscriptions = createSubscriptions({ subscriptionsMax: 3 });
  const { peer, close } = openPeer();
  subscriptions.add(peer, start);
  subscriptions.add(peer, start);

  close();
  subscriptions.add(peer, start);

  expect(subscriptions.all()).toEqual([]);
});
