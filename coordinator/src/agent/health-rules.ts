import type { AgentHealth, AgentHealthReport } from '@baton/protocol';
import type { AgentViewRow } from './agent.store.ts';

/** Two beats: one may be on its way, the other may be late. */
export const allowedSilenceMs = (heartbeatMs: number): number => 2 * heartbeatMs;

/** What is known of the session that an agent has or had. */
export interface Silence {
  /** How long ago its last call was; null where it has no session. */
  readonly silenceMs: number | null;
  /** Its lease runs. */
  readonly living: boolean;
}

/** How an agent is that may be silent for so long. Computed whenever it is asked for, never stored. */
export function healthOf({ silenceMs, living }: Silence, allowedMs: number): AgentHealth {
  if (!living || silenceMs === null) return 'lost';
  return silenceMs >= allowedMs ? 'stale' : 'healthy';
}

const inSeconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

/** The same as a sentence, for people. */
export function explainHealth(silence: Silence, allowedMs: number): string {
  const { silenceMs } = silence;
  if (silenceMs === null) return 'It has no session.';
  switch (healthOf(silence, allowedMs)) {
    case 'healthy':
      return `Heard of ${inSeconds(silenceMs)} ago; ${inSeconds(allowedMs)} of silence are allowed.`;
    case 'stale':
      return `Silent for ${inSeconds(silenceMs)}; ${inSeconds(allowedMs)} are allowed.`;
    case 'lost':
      return `Silent for ${inSeconds(silenceMs)}; its lease has ended.`;
  }
}

/** What a caller is told of an agent that beats so often. */
export function toHealthReport(row: AgentViewRow, heartbeatMs: number): AgentHealthReport {
  const { id, name, status, silenceMs, expiresInMs, eventLoopLagMs } = row;
  const allowedMs = allowedSilenceMs(heartbeatMs);
  return {
    agentId: id,
    agentName: name,
    status,
    health: healthOf(row, allowedMs),
    allowedMs,
    explanation: explainHealth(row, allowedMs),
    ...(silenceMs !== null && { silenceMs: Math.round(silenceMs) }),
    ...(expiresInMs !== null && { expiresInMs: Math.round(expiresInMs) }),
    ...(eventLoopLagMs !== null && { eventLoopLagMs: Math.round(eventLoopLagMs) }),
  };
}
