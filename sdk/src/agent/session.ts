import type { Client, Result, RevocationReason } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentLog } from './agent-log.ts';
import type { AttemptId } from './attempt-id.ts';
import type { BeatNews } from './beat-thread.ts';
import { isSessionGone } from './session-gone.ts';

export type SessionAnswer = Result<'agent/register'>;

export interface AgentIdentity {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly tags: readonly string[];
  readonly type?: string | undefined;
  readonly phase?: string | undefined;
}

export interface SessionParts {
  readonly client: Client;
  readonly identity: AgentIdentity;
  readonly log: AgentLog;
  /** The attempts that run here. */
  readonly running: () => readonly AttemptId[];
  readonly onRegistered: (answer: SessionAnswer) => void;
  readonly onRevoked: (attempt: AttemptId, reason: RevocationReason) => void;
  readonly onBeat: () => void;
}

export interface AgentSession {
  /** Registers on a connection that has just opened; an earlier session goes on where it still lives. Attempts that were lost meanwhile are revoked. */
  register(): Promise<void>;
  /** Takes what became of a beat. One that did not get through is made up for on the connection, which may have. */
  takeNews(news: BeatNews): void;
  /** Registers anew on the open connection after the coordinator has forgotten the session. Many callers make one registration. */
  renew(): Promise<void>;
  readonly sessionId: string | undefined;
  /** How long a task may take to stop by itself. */
  readonly graceMs: number;
  stop(): void;
}

/** As long as no answer has said otherwise. */
const graceMsUntilTold = 5_000;
const renewRetryMs = 1_000;

/** How long a beat on the connection may take before it counts for nothing. */
const beatTimeoutMs = 5_000;

/** The agent's session: made once per connection, and made anew where its beats find it gone. */
export function createSession({ client, identity, log, running, onRegistered, onRevoked, onBeat }: SessionParts): AgentSession {
  const stopped = new AbortController();
  let answer: SessionAnswer | undefined;
  let renewing: Promise<void> | undefined;

  const register = async () => {
    const before = answer;
    answer = await client.agent.register({
      name: identity.name,
      capabilities: [...identity.capabilities],
      capacity: identity.capacity,
      tags: [...identity.tags],
      ...(identity.type !== undefined && { type: identity.type }),
      ...(identity.phase !== undefined && { phase: identity.phase }),
      ...(before === undefined ? {} : { resumeToken: before.resumeToken }),
    });
    log.info(
      answer.resumed
        ? 'connected again; the session goes on'
        : before === undefined
          ? 'ready for tasks'
          : 'connected again with a new session',
      {
        capabilities: [...identity.capabilities],
        capacity: identity.capacity,
        epoch: answer.epoch,
      },
    );
    const { attempts } = answer;
    for (const own of running()) {
      if (!attempts.some((kept) => kept.taskId === own.taskId && kept.attempt === own.attempt)) onRevoked(own, 'lease_lost');
    }
    onRegistered(answer);
  };

  // On the connection the coordinator says why a session is over before it refuses a call of it: who was replaced must not
  // register anew and end its successor. Names nothing: an answer that brings a task may be waiting to be read right here.
  const beatHere = async () => {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(beatTimeoutMs)]);
    try {
      await client.agent.heartbeat({}, { signal });
      onBeat();
    } catch (error) {
      if (stopped.signal.aborted) return;
      if (isSessionGone(error)) await renew();
      else log.debug(`a heartbeat failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  const renew = () => (renewing ??= renewOnce().finally(() => (renewing = undefined)));
  const renewOnce = async () => {
    while (!stopped.signal.aborted) {
      try {
        return await register();
      } catch (error) {
        log.warn(`the session could not be renewed: ${error instanceof Error ? error.message : String(error)}`);
        await delay(renewRetryMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      }
    }
  };

  return {
    register,
    renew,
    takeNews(news) {
      // What a session before this one was told is no news.
      if (stopped.signal.aborted || news.resumeToken !== answer?.resumeToken) return;
      if (news.kind === 'heard') {
        for (const { reason, ...attempt } of news.revoked) onRevoked(attempt, reason);
        onBeat();
        return;
      }
      if (news.kind === 'failed') log.debug(`a heartbeat failed: ${news.message}`);
      void beatHere();
    },
    get sessionId() {
      return answer?.sessionId;
    },
    get graceMs() {
      return answer?.graceMs ?? graceMsUntilTold;
    },
    stop() {
      stopped.abort();
    },
  };
}
