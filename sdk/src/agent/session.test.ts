import { CoordinatorError, type ErrorKind } from '@baton/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answeringClient, newId, silentLog } from './client-fixture.ts';
import { type AttemptId, createSession } from './session.ts';

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
  const identity = { name: 'worker', capabilities: ['work'], capacity: 1, tags: [] };
  const session = createSession({
    client,
    identity,
    log: silentLog,
    running: () => running,
    onRegistered: () => {},
    onRevoked,
    onBeat: () => {},
  });
  const registrations = () => calls.filter(({ method }) => method === 'agent/register').map(({ params }) => params['resumeToken']);
  return {
    session,
    calls,
    living,
    onRevoked,
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

test('a beat reports what runs, and what it is told is gone is taken away', async () => {
  const attempt = newAttempt();
  const { session, calls, onRevoked, answerBeats } = open({ running: [attempt], kept: [attempt] });
  await session.register();
  onRevoked.mockClear();
  answerBeats(() => ({ heartbeatMs: 1_000, leaseMs: 3_000, revoked: [{ ...attempt, reason: 'cancelled' }] }));

  session.startBeating();
  await vi.advanceTimersByTimeAsync(1_000);
  session.stop();

  expect(calls.at(-1)).toMatchObject({ method: 'agent/heartbeat', params: { attempts: [attempt] } });
  expect(onRevoked.mock.calls).toEqual([[attempt, 'cancelled']]);
});

test('HB2 a beat that finds the session forgotten makes a new one', async () => {
  const { session, living, registrations, answerBeats } = open();
  await session.register();
  living.clear();
  answerBeats(() => {
    throw new CoordinatorError('session_unknown');
  });

  session.startBeating();
  await vi.advanceTimersByTimeAsync(1_000);
  session.stop();

  expect(registrations()).toEqual([undefined, 'session-1']);
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
