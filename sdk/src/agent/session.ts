import { type Client, CoordinatorError, type Result, type RevocationReason } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentLog } from './agent-log.ts';
import { startHeartbeat } from './heartbeat.ts';

export type SessionAnswer = Result<'agent/register'>;
export interface AttemptId {
  readonly taskId: string;
  readonly attempt: number;
}

export interface AgentIdentity {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly tags: readonly string[];
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
  /** Begins to beat. To be called once, after the first registration. */
  startBeating(): void;
  /** Registers anew on the open connection after the coordinator has forgotten the session. Many callers make one registration. */
  renew(): Promise<void>;
  readonly sessionId: string | undefined;
  /** How long a task may take to stop by itself. */
  readonly graceMs: number;
  stop(): void;
}

/** As long as no answer has said otherwise. */
const heartbeatMsUntilTold = 5_000;
const graceMsUntilTold = 5_000;
const renewRetryMs = 1_000;

/** The agent's session: made once per connection, kept alive by beats that do not depend on what tasks do. */
export function createSession({ client, identity, log, running, onRegistered, onRevoked, onBeat }: SessionParts): AgentSession {
  const stopped = new AbortController();
  let answer: SessionAnswer | undefined;
  let heartbeat: { readonly stop: () => void } | undefined;
  let renewing: Promise<void> | undefined;

  const register = async () => {
    const before = answer;
    answer = await client.agent.register({
      name: identity.name,
      capabilities: [...identity.capabilities],
      capacity: identity.capacity,
      tags: [...identity.tags],
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

  const beat = async (eventLoopLagMs: number, signal: AbortSignal) => {
    const attempts = running().map(({ taskId, attempt }) => ({ taskId, attempt }));
    const { revoked, heartbeatMs } = await client.agent.heartbeat({ attempts, eventLoopLagMs }, { signal });
    for (const { reason, ...attempt } of revoked) onRevoked(attempt, reason);
    onBeat();
    return { heartbeatMs };
  };
  const onBeatError = (error: unknown) => {
    if (isSessionGone(error)) void renew();
    else log.debug(`a heartbeat failed: ${error instanceof Error ? error.message : String(error)}`);
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
    startBeating() {
      heartbeat ??= startHeartbeat({ heartbeatMs: answer?.heartbeatMs ?? heartbeatMsUntilTold, beat, onError: onBeatError });
    },
    get sessionId() {
      return answer?.sessionId;
    },
    get graceMs() {
      return answer?.graceMs ?? graceMsUntilTold;
    },
    stop() {
      stopped.abort();
      heartbeat?.stop();
    },
  };
}

/** The coordinator knows no session of this connection any more. */
export const isSessionGone = (error: unknown): boolean =>
  error instanceof CoordinatorError && (error.kind === 'session_unknown' || error.kind === 'session_required');
