import { withinMs } from '../deadline.ts';
import type { Metrics } from '../metrics.ts';
import type { Reply } from './reply.ts';

export interface ProbeParts {
  /** Fails while the coordinator cannot do its work. Must not write. */
  readonly health: () => Promise<unknown>;
  /** Why nothing is taken on at all, whatever the database says. */
  readonly away: () => 'starting' | 'draining' | undefined;
  readonly metrics: Pick<Metrics, 'render'>;
}

/** A store that does not answer in this time is away, for whoever asks. */
const healthTimeoutMs = 2_000;

/** Whether the process does its work; where it does not, a new one might. */
export function serveHealth({ health }: ProbeParts): Promise<Reply> {
  return withinMs(healthTimeoutMs, health()).then(
    () => ({ status: 200, body: '{"status":"ok"}' }),
    () => ({ status: 503, body: '{"status":"unavailable"}' }),
  );
}

/** Whether calls should be sent here now. */
export async function serveReady(parts: ProbeParts): Promise<Reply> {
  const away = parts.away();
  if (away !== undefined) return notReady(away);
  return withinMs(healthTimeoutMs, parts.health()).then(
    () => ({ status: 200, body: '{"status":"ready"}' }),
    () => notReady('database_unavailable'),
  );
}

const notReady = (reason: string): Reply => ({
  status: 503,
  headers: { 'content-type': 'application/json', 'retry-after': '1' },
  body: JSON.stringify({ status: 'not_ready', reason }),
});

/** The figures for Prometheus. */
export function serveMetrics({ metrics }: ProbeParts): Promise<Reply> {
  return metrics.render().then(
    ({ contentType, text }) => ({ status: 200, headers: { 'content-type': contentType }, body: text }),
    () => ({ status: 500, body: '{"status":"unavailable"}' }),
  );
}
