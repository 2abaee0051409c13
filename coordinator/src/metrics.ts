import type { ErrorKind, Verdict } from '@baton/protocol';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { withinMs } from './deadline.ts';
import type { Log } from './log.ts';

/** Why something was turned away before it was a call. */
export type RefusalReason =
  /** The text was no JSON, no request, or no parameters that may be handed on. */
  | Extract<ErrorKind, 'parse_error' | 'invalid_request' | 'invalid_params'>
  | 'frame_too_large'
  | 'frame_broken'
  | 'frame_binary'
  | 'body_too_large'
  | 'calls_in_flight'
  | 'call_rate'
  | 'connections'
  | 'connections_per_token'
  | 'failed_authentications'
  | 'unauthenticated'
  | 'stranger'
  | 'draining'
  /** The other side did not read what it was sent (4008). */
  | 'read_too_slowly';

/** What is read when somebody asks, and costs nothing until then. */
const readings = {
  connections: { type: 'gauge', help: 'WebSocket connections that are open.' },
  calls_in_flight: { type: 'gauge', help: 'Calls that have no answer yet.' },
  claims_parked: { type: 'gauge', help: 'Claims that wait for work.' },
  sessions_live: { type: 'gauge', help: 'Sessions whose connection this coordinator holds.' },
  received_bytes_total: { type: 'counter', help: 'Bytes that came in over all sockets.' },
  sent_bytes_total: { type: 'counter', help: 'Bytes that went out over all sockets.' },
  event_loop_lag_seconds: { type: 'gauge', help: 'The longest time that the event loop stood still since the last look.' },
  memory_resident_bytes: { type: 'gauge', help: 'Memory of the process.' },
  memory_heap_bytes: { type: 'gauge', help: 'JavaScript heap in use.' },
} as const satisfies Record<string, { readonly type: 'gauge' | 'counter'; readonly help: string }>;
export type Reading = keyof typeof readings;

/** The tasks that are open, over all projects; `claimable` are those of the ready ones that an agent could take now. */
export interface TaskCounts {
  readonly blocked: number;
  readonly ready: number;
  readonly running: number;
  readonly claimable: number;
}

/**
 * What is measured, for Prometheus. Labels come from fixed lists only, so that the number of series has a limit. Recording
 * never throws: whatever is measured is worth more than the measurement.
 */
export interface Metrics {
  /** `outcome` is `ok` or a kind of the catalogue. */
  recordCall(method: string, outcome: 'ok' | ErrorKind, durationMs: number): void;
  recordRefusal(reason: RefusalReason): void;
  recordLockWait(outcome: 'ok' | ErrorKind, waitedMs: number): void;
  /** How late the timers of an agent are, as it told with a beat. */
  recordAgentLag(lagMs: number): void;
  /** `validator` is one that an enabled plugin offers. */
  recordValidator(validator: string, outcome: Verdict['outcome'], durationMs: number): void;
  /** `summarizer` is the one that is set. What is not `ok` was replaced by the extractive summary. */
  recordSummary(summarizer: string, outcome: 'ok' | 'error' | 'timeout', durationMs: number): void;
  recordLoop(loop: string, run: { readonly durationMs: number; readonly hasFailed: boolean }): void;
  watch(reading: Reading, read: () => number): void;
  /** Counted when somebody asks, one count at a time. */
  watchTasks(count: () => Promise<TaskCounts>): void;
  /** All of it in the text format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A claim may wait a minute; most calls take a millisecond. */
const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Below the first an agent is at leisure, above the last it hears nothing for longer than a lease. */
const lagBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
const validatorBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
/** A database that does not answer in this time is told as away; the other figures do not wait longer for it. */
const countTimeoutMs = 2_000;

export function createMetrics(log: Pick<Log, 'warn'>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const { calls, callSeconds, refusals, lockWaits, agentLags, validators, summaries, loops, loopFailures } = createInstruments(registers);
  const collectors: (() => void)[] = [];
  const slowCollectors: (() => Promise<void>)[] = [];
  let hasFailed = false;

  // Nobody up the stack could do anything about it, and a call would be lost that had its effect.
  function safely(record: () => void): void {
    try {
      record();
    } catch (error) {
      if (!hasFailed) log.warn({ err: error }, 'a figure could not be recorded; further failures of this kind are not told');
      hasFailed = true;
    }
  }

  return {
    recordCall: (method, outcome, durationMs) =>
      safely(() => {
        calls.inc({ method, outcome });
        callSeconds.observe({ method }, durationMs / 1_000);
      }),
    recordRefusal: (reason) => safely(() => refusals.inc({ reason })),
    recordLockWait: (outcome, waitedMs) => safely(() => lockWaits.observe({ outcome }, waitedMs / 1_000)),
    recordAgentLag: (lagMs) => safely(() => agentLags.observe(lagMs / 1_000)),
    recordValidator: (validator, outcome, durationMs) => safely(() => validators.observe({ validator, outcome }, durationMs / 1_000)),
    recordSummary: (summarizer, outcome, durationMs) => safely(() => summaries.observe({ summarizer, outcome }, durationMs / 1_000)),
    recordLoop: (loop, { durationMs, hasFailed }) =>
      safely(() => {
        loops.observe({ loop }, durationMs / 1_000);
        loopFailures.inc({ loop }, hasFailed ? 1 : 0);
      }),

    watch(reading, read) {
      const { type, help } = readings[reading];
      const metric = new (type === 'gauge' ? Gauge : Counter)({ name: `baton_${reading}`, help, registers });
      collectors.push(() =>
        safely(() => {
          const value = read();
          metric.reset();
          metric.inc(value);
        }),
      );
    },
    watchTasks: (count) => void slowCollectors.push(createTaskCollector(registers, count)),

    async render() {
      await Promise.all(slowCollectors.map((collect) => collect()));
      for (const collect of collectors) collect();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** What is written down as it happens. */
const createInstruments = (registers: Registry[]) => ({
  calls: new Counter({ name: 'baton_calls_total', help: 'Calls that were answered.', labelNames: ['method', 'outcome'], registers }),
  callSeconds: new Histogram({
    name: 'baton_call_duration_seconds',
    help: 'From a call being taken to its answer, waiting for work or locks included.',
    labelNames: ['method'],
    buckets: callBuckets,
    registers,
  }),
  refusals: new Counter({
    name: 'baton_refusals_total',
    help: 'What was turned away before it was a call.',
    labelNames: ['reason'],
    registers,
  }),
  lockWaits: new Histogram({
    name: 'baton_lock_wait_time_seconds',
    help: 'From asking for locks to having them, or to giving up.',
    labelNames: ['outcome'],
    buckets: callBuckets,
    registers,
  }),
  agentLags: new Histogram({
    name: 'baton_agent_event_loop_lag_seconds',
    help: 'How late the timers of agents are, once per beat that tells it.',
    buckets: lagBuckets,
    registers,
  }),
  validators: new Histogram({
    name: 'baton_validator_duration_seconds',
    help: 'Runs of validators, waiting for a thread included.',
    labelNames: ['validator', 'outcome'],
    buckets: validatorBuckets,
    registers,
  }),
  summaries: new Histogram({
    name: 'baton_summary_duration_seconds',
    help: 'Runs of the summarizer, waiting for a thread included. What is not `ok` was replaced by the extractive summary.',
    labelNames: ['summarizer', 'outcome'],
    buckets: validatorBuckets,
    registers,
  }),
  loops: new Histogram({
    name: 'baton_loop_duration_seconds',
    help: 'Runs of the loops in the background.',
    labelNames: ['loop'],
    buckets: callBuckets,
    registers,
  }),
  loopFailures: new Counter({
    name: 'baton_loop_failures_total',
    help: 'Runs of loops that failed; the next run finds the same work.',
    labelNames: ['loop'],
    registers,
  }),
});

function createTaskCollector(registers: Registry[], count: () => Promise<TaskCounts>): () => Promise<void> {
  const tasks = new Gauge({ name: 'baton_tasks', help: 'Open tasks of all projects.', labelNames: ['state'], registers });
  const claimable = new Gauge({
    name: 'baton_scheduler_ready_tasks',
    help: 'Tasks that an agent could take now: ready, no back-off, no lock in the way.',
    registers,
  });
  const isDatabaseUp = new Gauge({ name: 'baton_database_up', help: '1 while the database answers.', registers });
  let underWay: Promise<TaskCounts> | undefined;

  return async () => {
    try {
      underWay ??= count().finally(() => {
        underWay = undefined;
      });
      const { claimable: ready, ...states } = await withinMs(countTimeoutMs, underWay);
      for (const [state, number] of Object.entries(states)) tasks.set({ state }, number);
      claimable.set(ready);
      isDatabaseUp.set(1);
    } catch {
      // An old figure would look like a true one.
      tasks.reset();
      claimable.set(Number.NaN);
      isDatabaseUp.set(0);
    }
  };
}
