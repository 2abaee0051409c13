import type { Client } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentLog } from './agent-log.ts';
import type { ClaimLoop } from './claim-loop.ts';

export interface DrainParts {
  readonly client: Client;
  readonly loop: ClaimLoop;
  /** Settles when nothing runs any more. */
  readonly working: Promise<void>;
  readonly log: AgentLog;
  readonly graceMs: number;
  readonly drainMs: number | undefined;
  /** Ends the beats: one that arrives after the goodbye would find no session, and begin another. */
  readonly stopBeating: () => void;
}

const drainMsUnlessGiven = 10_000;
/** How long the coordinator may take to hear something on the way out. It finds out by itself when the lease ends. */
const farewellMs = 2_000;

/** Takes nothing new, finishes what runs, gives back what does not end in time, and says goodbye. With the coordinator gone it takes no longer. */
export async function drainAgent(parts: DrainParts): Promise<void> {
  const { client, loop, working, log, graceMs, drainMs = drainMsUnlessGiven, stopBeating } = parts;
  log.info('draining', { running: loop.running().length });
  loop.stop();
  await farewell((signal) => client.agent.drain({}, { signal }));

  if (!(await endsWithin(working, drainMs))) {
    loop.abortAll('draining');
    await endsWithin(working, graceMs + farewellMs);
  }
  stopBeating();
  await farewell((signal) => client.agent.deregister({ reason: 'The agent has drained.' }, { signal }));
  log.info('drained');
}

// Politeness: the coordinator learns from the end of the lease what it is not told in time.
const farewell = (call: (signal: AbortSignal) => Promise<unknown>) => call(AbortSignal.timeout(farewellMs)).catch(() => undefined);

async function endsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const over = new AbortController();
  const late = delay(limitMs, false, { signal: over.signal }).catch(() => false);
  const inTime = await Promise.race([work.then(() => true), late]);
  over.abort();
  return inTime;
}
