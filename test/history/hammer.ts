import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createTestFolder } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { Pair } from '../support/pair.ts';
import type { FinishedHistory } from './check-history.ts';
import { readFinalState } from './final-state.ts';
import { openHistory, readHistory } from './history.ts';
import { pause } from './logged-calls.ts';
import { startWorkload, type WorkloadPlan } from './workload.ts';

/** What a coordinator is told, so that what ends by time ends soon. */
export const hastyEnvironment = {
  BATON_LEASE_MS: '2000',
  BATON_HEARTBEAT_MS: '500',
  BATON_SWEEP_MS: '100',
  BATON_POLL_MS: '200',
  BATON_BACKOFF_BASE_MS: '10',
  BATON_BACKOFF_CAP_MS: '100',
};

interface Course {
  readonly plan: Omit<WorkloadPlan, 'name'>;
  readonly file: string;
  /** Waits until all that was submitted has ended, or nothing of it has gone on for so long: what is left for ever the checker finds. */
  settle(stillMs: number): Promise<void>;
}

/** Makes a history at two coordinators, and answers what the clients saw and what there is. */
async function makeHistory(
  { sites, observer }: Pair,
  size: Pick<WorkloadPlan, 'agents' | 'graphsMax'>,
  run: (course: Course) => Promise<void>,
): Promise<FinishedHistory> {
  await using folder = await createTestFolder('history');
  const file = join(folder.path, 'history.jsonl');
  const { client, token } = sites[0];
  const { id: ticketId } = await client.ticket.create({ title: 'What clients see' });
  await client.ticket.transition({ ticketId, to: 'REQUIREMENTS', force: true, reason: 'The test begins there.' });
  const mark = `h-${crypto.randomUUID().slice(0, 8)}`;
  const plan = { ...size, token, mark, ticketId, sites: sites.map(({ url, httpUrl }) => ({ url, httpUrl })) };
  const readOpen = async () => {
    const { rows } = await observer.query<{ open: number; attempts: number }>(
      `select count(*)::int as open, sum(attempt)::int as attempts from tasks where ticket_id = $1 and state in ('blocked', 'ready', 'running')`,
      [ticketId],
    );
    return rows[0]!;
  };
  const settle = async (stillMs: number) => {
    let [before, since] = ['', performance.now()];
    for (let seen = await readOpen(); seen.open > 0; seen = await readOpen()) {
      const now = `${seen.open} ${seen.attempts}`;
      if (now !== before) [before, since] = [now, performance.now()];
      if (performance.now() - since > stillMs) return;
      await pause(50);
    }
  };

  await run({ plan, file, settle });

  return { operations: readHistory(file), final: await readFinalState(observer, ticketId) };
}

/** Clients in this process, until so many graphs have been submitted. Nothing disturbs them. */
export const useGently = (pair: Pair, size: Pick<WorkloadPlan, 'agents' | 'graphsMax'>, settleMs: number): Promise<FinishedHistory> =>
  makeHistory(pair, size, async ({ plan, file, settle }) => {
    const pace = { isQuiet: false, isOver: false };
    const { submitted, ended } = startWorkload({ ...plan, name: 'here' }, openHistory(file, 'here'), pace);
    try {
      await submitted;
      pace.isQuiet = true;
      await settle(settleMs);
    } finally {
      pace.isOver = true;
      await ended;
    }
  });

/** Clients that can be killed, and begin anew under the same names. */
export interface ClientProcess {
  killAndRestart(): Promise<void>;
}

export interface HammerOptions {
  readonly processes: number;
  readonly agents: number;
  readonly settleMs: number;
  /** What happens to them. Work is given out until it ends. */
  readonly disturb: (clients: readonly ClientProcess[]) => Promise<void>;
}

/** Clients in processes of their own. */
export const hammer = (pair: Pair, { processes, agents, settleMs, disturb }: HammerOptions): Promise<FinishedHistory> =>
  makeHistory(pair, { agents, graphsMax: Number.MAX_SAFE_INTEGER }, async ({ plan, file, settle }) => {
    const clients = Array.from({ length: processes }, (_, index) => startClients({ ...plan, file, name: `p${index}` }));
    try {
      await Promise.all(clients.map(({ whenAtWork }) => whenAtWork()));
      await disturb(clients);
      for (const { quieten } of clients) quieten();
      await settle(settleMs);
    } finally {
      await Promise.all(clients.map(({ stop }) => stop()));
    }
  });

function startClients(plan: WorkloadPlan & { readonly file: string }) {
  const start = () => {
    const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'client-process.ts'), JSON.stringify(plan)], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    // A killed process does not take what it was told.
    child.stdin.on('error', () => {});
    const exited = Promise.all([once(child, 'close'), text(child.stderr)]);
    return { child, exited };
  };
  let current = start();
  const whenAtWork = () =>
    eventually(() => {
      const has = existsSync(plan.file) && readFileSync(plan.file, 'utf8').includes(`"${plan.name}.${current.child.pid}-`);
      if (!has) throw new Error(`The clients of ${plan.name} have not begun.`);
    });
  return {
    whenAtWork,
    quieten: () => void current.child.stdin.write('quiet\n'),
    async killAndRestart() {
      current.child.kill('SIGKILL');
      await current.exited;
      current = start();
      await whenAtWork();
    },
    async stop() {
      current.child.stdin.end();
      const [[code], errors] = await current.exited;
      if (code !== 0) throw new Error(`A client process ended with ${String(code)}: ${errors}`);
    },
  };
}
