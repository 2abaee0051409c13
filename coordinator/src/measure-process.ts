import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** How often the loop is looked at. Node counts this time into what it measures. */
const resolutionMs = 20;
const nsPerSecond = 1e9;

/** Measures this process: its event loop and its memory. Returns what ends it. */
export function measureProcess(metrics: Pick<Metrics, 'watch'>): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  metrics.watch('event_loop_lag_seconds', () => {
    // Before the first look there is nothing, and the longest of nothing is no time.
    const seconds = delay.count === 0 ? 0 : Math.max(0, delay.max / nsPerSecond - resolutionMs / 1_000);
    delay.reset();
    return seconds;
  });
  metrics.watch('memory_resident_bytes', () => process.memoryUsage.rss());
  metrics.watch('memory_heap_bytes', () => process.memoryUsage().heapUsed);
  return () => void delay.disable();
}
