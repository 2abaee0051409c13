import { expect, test } from 'vitest';
import type { Peer } from '../call.ts';
import { createLiveSessions } from './live-sessions.ts';

const session = { sessionId: 's', agentId: 'a', agentName: 'ada', epoch: 1 };

function setUp() {
  const live = createLiveSessions();
  const told: unknown[] = [];
  const closing: (() => void)[] = [];
  const peer: Peer = {
    id: 'p',
    notify: (name, params) => void told.push([name, params]),
    onClose: (listener) => void closing.push(listener),
  };
  live.attach(session, peer);
  return { live, told, close: () => closing.forEach((listener) => listener()) };
}

test('a session is told of an attempt once, whoever tells it and why', () => {
  const { live, told } = setUp();

  live.revoke('s', { taskId: 't', attempt: 1, reason: 'phase_closed' });
  live.revoke('s', { taskId: 't', attempt: 1, reason: 'cancelled' });
  live.revoke('s', { taskId: 't', attempt: 2, reason: 'cancelled' });

  expect(told).toEqual([
    ['task/revoked', { taskId: 't', attempt: 1, reason: 'phase_closed' }],
    ['task/revoked', { taskId: 't', attempt: 2, reason: 'cancelled' }],
  ]);
});

test('a connection whose session was taken away goes on speaking for it, so that the rows refuse it', () => {
  const { live } = setUp();

  live.end('s', 'superseded');

  expect(live.findByPeer('p')).toEqual(session);
  expect(live.count).toBe(0);
});

test('a connection that has said goodbye speaks for no session', () => {
  const { live } = setUp();

  live.end('s', 'deregistered');

  expect(live.findByPeer('p')).toBeUndefined();
});

test('when a session was heard of is forgotten after its connection and its time are over', () => {
  const { live, close } = setUp();

  live.forgetSilent(0);
  const connected = live.listHeard();
  close();
  live.forgetSilent(-1);

  expect(connected).toEqual(['s']);
  expect(live.listHeard()).toEqual([]);
});
