import { parentPort, workerData } from 'node:worker_threads';
import type { RevocationReason } from '@baton/protocol';
import { exchangeByNode } from '../connection/exchange.ts';
import type { AttemptId } from './attempt-id.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type LoopTicks, readLoopLag, setPace } from './loop-ticks.ts';
import { BeatError, type BeatPlace, sendBeat } from './send-beat.ts';

// The entry of the thread that beats, where no code of a task can hold it up.

/** What the thread is given at its start. */
export interface BeatThreadData {
  readonly place: BeatPlace;
  readonly session: BeatingSession;
  readonly attempts: readonly AttemptId[];
  readonly ticks: LoopTicks;
}

export interface BeatingSession {
  readonly resumeToken: string;
  readonly heartbeatMs: number;
}

/** What the main thread tells it: the session that took the place of the one before, or all attempts that are in hand. */
export type ToBeatThread =
  | { readonly kind: 'session'; readonly session: BeatingSession }
  | { readonly kind: 'attempts'; readonly attempts: readonly AttemptId[] };

/** What became of a beat of the session with this token. */
export type BeatNews = { readonly resumeToken: string } & (
  | { readonly kind: 'heard'; readonly revoked: readonly (AttemptId & { readonly reason: RevocationReason })[] }
  | { readonly kind: 'sessionGone' }
  | { readonly kind: 'failed'; readonly message: string }
);

const { place, ticks, ...given } = workerData as BeatThreadData;
const exchange = exchangeByNode(place.ca);
let { attempts } = given;
let heart = beatFor(given.session);

parentPort?.on('message', (message: ToBeatThread) => {
  if (message.kind === 'attempts') ({ attempts } = message);
  else {
    heart.stop();
    heart = beatFor(message.session);
  }
});

function beatFor({ resumeToken, heartbeatMs: firstMs }: BeatingSession): { readonly stop: () => void } {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
  const tell = (news: BeatNews) => parentPort?.postMessage(news);
  let intervalMs = firstMs;

  return startHeartbeat({
    heartbeatMs: firstMs,
    async beat(signal) {
      const { lagMs, keptUpMs } = readLoopLag(ticks);
      // What the coordinator has given out for two beats, and is not named, it gives to others. A main thread that stood still
      // in that time may not have come to read what it was given: then nothing is compared.
      const named = keptUpMs > 2 * intervalMs ? { attempts: attempts.map(({ taskId, attempt }) => ({ taskId, attempt })) } : {};
      const params = { ...named, eventLoopLagMs: lagMs };
      const { heartbeatMs, revoked } = await sendBeat(exchange, place, { resumeToken, params, signal });
      intervalMs = heartbeatMs;
      setPace(ticks, heartbeatMs);
      tell({ kind: 'heard', resumeToken, revoked });
      return { heartbeatMs };
    },
    onError(error) {
      if (error instanceof BeatError && (error.kind === 'session_unknown' || error.kind === 'session_required'))
        tell({ kind: 'sessionGone', resumeToken });
      else tell({ kind: 'failed', resumeToken, message: error instanceof Error ? error.message : String(error) });
    },
  });
}
