import { configSchema } from '../../coordinator/src/config.ts';
import { createLiveSessions } from '../../coordinator/src/agent/live-sessions.ts';
import { createChanges } from '../../coordinator/src/db/changes.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import { takePlace } from '../../coordinator/src/gate/judgement-place.ts';
import { createJudgementTurns } from '../../coordinator/src/gate/judgement-turns.ts';
import { createLog } from '../../coordinator/src/log.ts';
import { createMetrics } from '../../coordinator/src/metrics.ts';
import { openPlugins } from '../../coordinator/src/plugins/open-plugins.ts';
import { ensureDefaultProject } from '../../coordinator/src/project/project.service.ts';
import { advanceTicket, type Step } from '../../coordinator/src/ticket/advance.service.ts';

export interface Advancer extends AsyncDisposable {
  /** Looks at a ticket of the default project once, and asks validators where that is needed, unless it may not. */
  advance(ticketId: string, options?: { readonly mayAsk: boolean }): Promise<Step>;
}

/** What moves tickets by itself in one more coordinator over a database, without its loop: it looks when it is told to. */
export async function openAdvancer(databaseUrl: string, { plugins }: { readonly plugins: string[] }): Promise<Advancer> {
  const config = configSchema.parse({ databaseUrl, plugins, logLevel: 'silent', leaseMs: 60_000 });
  const log = createLog(config);
  const store = await openStore(config);
  const changes = createChanges(log);
  const host = await openPlugins(config, log, createMetrics(log));
  const db = { em: store.em, changes, transactionTriesMax: config.transactionTriesMax };
  const { outsideVerdictMs, leaseMs: judgingLeaseMs } = config;
  const tickets = {
    db,
    sessions: createLiveSessions(),
    gates: { db, plugins: host, log, turns: createJudgementTurns(config), outsideVerdictMs },
    judgingLeaseMs,
  };
  const projectId = await ensureDefaultProject(store.em.fork());
  const stopping = new AbortController();
  const { signal } = stopping;
  return {
    async advance(ticketId, { mayAsk } = { mayAsk: true }) {
      if (!mayAsk) return advanceTicket(tickets, { projectId, ticketId }, { signal });
      const { turns } = tickets.gates;
      using place = await takePlace({ em: store.em.fork(), turns }, { projectId, ticketId, purpose: 'workflow' }, signal);
      return await advanceTicket(tickets, { projectId, ticketId }, { signal, place });
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      changes.stop();
      await host.stop();
      await store.close();
    },
  };
}
