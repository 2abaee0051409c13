import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, vi } from 'vitest';
import { patienceMs } from './eventually.ts';

/**
 * What a test file may leave behind: nothing that it did not find. Pipes and the like belong to the runner; sockets, servers,
 * timers, threads and child processes are ours.
 */
const ours = new Set(['TCPSocketWrap', 'TCPServerWrap', 'TCPConnectWrap', 'Timeout', 'ProcessWrap', 'FSEventWrap']);

// Threads are not among the resources that Node counts; it tells of each when it begins.
const threads = new Set<Worker>();
const noteThread = (message: unknown) => {
  const { worker } = message as { readonly worker: Worker };
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
};
subscribe('worker_threads', noteThread);

const baseline = countResources();

// The next file of this worker finds the process as this one leaves it.
afterAll(() => {
  unsubscribe('worker_threads', noteThread);
  vi.useRealTimers();
  fc.resetConfigureGlobal();
});

afterAll(async () => {
  // Closing takes a few turns of the event loop after the call that closes has answered, and a busy machine its time for them.
  const deadline = performance.now() + patienceMs;
  while (leftover().length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));

  const names = leftover();
  if (names.length > 0) throw new Error(`This file leaves behind: ${names.join(', ')}. Close what you open.`);
});

function leftover(): string[] {
  const counts = countResources();
  return [...counts].flatMap(([name, count]) => {
    const extra = count - (baseline.get(name) ?? 0);
    return extra > 0 ? [extra === 1 ? name : `${extra} × ${name}`] : [];
  });
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (ours.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (threads.size > 0) counts.set('Thread', threads.size);
  return counts;
}
