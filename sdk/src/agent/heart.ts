import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AgentLog } from './agent-log.ts';
import type { AttemptId } from './attempt-id.ts';
import type { BeatingSession, BeatNews, BeatThreadData, ToBeatThread } from './beat-thread.ts';
import { createLoopTicks, startTicking } from './loop-ticks.ts';
import type { BeatPlace } from './send-beat.ts';

export interface HeartParts {
  readonly place: BeatPlace;
  readonly log: AgentLog;
  readonly onNews: (news: BeatNews) => void;
}

/** Beats for an agent from a thread of its own, which nothing that happens in this thread can hold up. */
export interface Heart {
  /** Beats for this session from here on, first after its interval. */
  follow(session: BeatingSession): void;
  /** All attempts that are in hand, to be named by each beat. */
  report(attempts: readonly AttemptId[]): void;
  /** Settles when the thread is gone. */
  stop(): Promise<void>;
}

/** How long to wait before a thread that ended by itself is replaced. */
const restartMs = 500;

export function createHeart({ place, log, onNews }: HeartParts): Heart {
  let session: BeatingSession | undefined;
  let attempts: readonly AttemptId[] = [];
  let beating: Beating | undefined;
  let restart: NodeJS.Timeout | undefined;
  let isStopped = false;

  const start = (session: BeatingSession): Beating => {
    const ticks = createLoopTicks(session.heartbeatMs);
    const data: BeatThreadData = { place, session, attempts, ticks };
    const worker = new Worker(new URL(`./beat-thread${extname(import.meta.url)}`, import.meta.url), { workerData: data });
    // An agent that has nothing else to do may end.
    worker.unref();
    const ticking = startTicking(ticks, session.heartbeatMs);
    worker.on('message', onNews);
    worker.on('error', (error) => log.error(`the thread that beats failed: ${error.message}`));
    worker.once('exit', () => {
      ticking.stop();
      beating = undefined;
      if (!isStopped) restart = setTimeout(revive, restartMs).unref();
    });
    return {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
      post: (message) => worker.postMessage(message),
      terminate: () => worker.terminate(),
    };
  };
  const revive = () => {
    if (session !== undefined) beating ??= start(session);
  };

  return {
    follow({ resumeToken, heartbeatMs }) {
      session = { resumeToken, heartbeatMs };
      if (isStopped) return;
      if (beating === undefined) revive();
      else beating.post({ kind: 'session', session });
    },
    report(inHand) {
      attempts = inHand.map(({ taskId, attempt }) => ({ taskId, attempt }));
      beating?.post({ kind: 'attempts', attempts });
    },
    async stop() {
      isStopped = true;
      clearTimeout(restart);
      await beating?.terminate();
    },
  };
}

interface Beating {
  readonly post: (message: ToBeatThread) => void;
  readonly terminate: () => Promise<unknown>;
}
