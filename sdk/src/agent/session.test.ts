import { CoordinatorError, type ErrorKind } from '@baton/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { patienceMs } from '../../../test/support/eventually.ts';
import type { AttemptId } from './attempt-id.ts';
import { answeringClient, newId, silentLog } from './client-fixture.ts';
import { createSession } from './session.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const newAttempt = (): AttemptId => ({ taskId: newId(), attempt: 1 });

/** A coordinator that knows some sessions, and a session of an agent that runs some attempts. */
function open({ running = [], kept = [] }: { running?: AttemptId[]; kept?: AttemptId[] } = {}) {
  const living = new Set<string>();
  const refusals: ErrorKind[] = [];
  let count = 0;
  let beatAnswer = (): unknown => ({ heartbeatMs: 1_000, leaseMs: 3_000, revoked: [] });
  const { client, calls } = answeringClient({
    'agent/register': ({ resumeToken }: { resumeToken?: string }) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw new CoordinatorError(refusal);
      const resumed = resumeToken !== undefined && living.has(resumeToken);
      const token = resumed ? resumeToken : `session-${++count}`;
      living.add(token);
      return {
        agentId: newId(),
        sessionId: newId(),
        epoch: count,
        resumeToken: token,
        heartbeatMs: 1_000,
        leaseMs: 3_000,
        graceMs: 700,
        resumed,
        attempts: resumed ? kept : [],
      };
    },
    'agent/heartbeat': () => beatAnswer(),
  });
  const onRevoked = vi.fn<(attempt: AttemptId, reason: string) => void>();
  const onBeat = vi.fn<() => void>();
  const identity = { name: 'worker', capabilities: ['work'], capacity: 1, tags: [] };
  const session = createSession({
    client,
    identity,
    log: silentLog,
    running: () => running,
    onRegistered: () => {},
    onRevoked,
    onBeat,
  });
  const registrations = () => calls.filter(({ method }) => method === 'agent/register').map(({ params }) => params['resumeToken']);
  return {
    session,
    calls,
    living,
    onRevoked,
    onBeat,
    registrations,
    answerBeats: (answer: () => unknown) => (beatAnswer = answer),
    refuseNext: (kind: ErrorKind) => void refusals.push(kind),
  };
}

test('after a reconnect the session goes on, and only what it does not hold any more is taken away', async () => {
  const [held, lost] = [newAttempt(), newAttempt()];
  const { session, onRevoked, registrations } = open({ running: [held, lost], kept: [held] });
  await session.register();
  onRevoked.mockClear();

  await session.register();

  expect(registrations()).toEqual([undefined, 'session-1']);
  expect(onRevoked.mock.calls).toEqual([[lost, 'lease_lost']]);
  expect(session.graceMs).toBe(700);
});

test('with a new session everything that ran under the old one is taken away', async () => {
  const attempt = newAttempt();
  const { session, living, onRevoked } = open({ running: [attempt] });
  await session.register();
  onRevoked.mockClear();
  living.clear();

  await session.register();

  expect(onRevoked.mock.calls).toEqual([[attempt, 'lease_lost']]);
});

test('what a beat is told is gone is taken away', async () => {
  const attempt = newAttempt();
  const { session, onRevoked, onBeat } = open({ running: [attempt] });
  await session.register();
  onRevoked.mockClear();

  session.takeNews({ kind: 'heard', resumeToken: 'session-1', revoked: [{ ...attempt, reason: 'cancelled' }] });

  expect(onRevoked.mock.calls).toEqual([[attempt, 'cancelled']]);
  expect(onBeat).toHaveBeenCalledTimes(1);
});

test('a beat that does not get through is made up for on the connection, where nothing is compared', async () => {
  const { session, calls, onBeat } = open({ running: [newAttempt()] });
  await session.register();

  session.takeNews({ kind: 'failed', resumeToken: 'session-1', message: 'No way.' });
  await vi.waitFor(() => expect(onBeat).toHaveBeenCalledTimes(1), { timeout: patienceMs });

  expect(calls.at(-1)).toEqual({ method: 'agent/heartbeat', params: {} });
});

test('HB2 a session that a beat finds gone, and the connection too, is made anew', async () => {
  const { session, living, registrations, answerBeats } = open();
  await session.register();
  living.clear();
  answerBeats(() => {
    throw new CoordinatorError('session_unknown');
  });

  session.takeNews({ kind: 'sessionGone', resumeToken: 'session-1' });

  await vi.waitFor(() => expect(registrations()).toEqual([undefined, 'session-1']), { timeout: patienceMs });
});

test('a beat that finds gone what the connection finds alive changes nothing', async () => {
  const { session, calls, registrations } = open();
  await session.register();

  session.takeNews({ kind: 'sessionGone', resumeToken: 'session-1' });
  await vi.waitFor(() => expect(calls.at(-1)?.method).toBe('agent/heartbeat'), { timeout: patienceMs });

  expect(registrations()).toEqual([undefined]);
});

test('news of an earlier session is none', async () => {
  const attempt = newAttempt();
  const { session, calls, living, onRevoked } = open({ running: [attempt] });
  await session.register();
  living.clear();
  await session.register();
  onRevoked.mockClear();

  session.takeNews({ kind: 'heard', resumeToken: 'session-1', revoked: [{ ...attempt, reason: 'cancelled' }] });
  session.takeNews({ kind: 'sessionGone', resumeToken: 'session-1' });

  expect(onRevoked).not.toHaveBeenCalled();
  expect(calls.map(({ method }) => method)).toEqual(['agent/register', 'agent/register']);
});

test('many who miss the session make one registration', async () => {
  const { session, registrations } = open();
  await session.register();

  await Promise.all([session.renew(), session.renew(), session.renew()]);

  expect(registrations()).toHaveLength(2);
});

test('a session that cannot be renewed now is tried again', async () => {
  const { session, registrations, refuseNext } = open();
  await session.register();
  refuseNext('draining');

  await Promise.all([session.renew(), vi.advanceTimersByTimeAsync(1_000)]);

  expect(registrations()).toHaveLength(3);
});
