import { describe, expect, test } from 'vitest';
import { readFigures } from '../../test/support/read-metrics.ts';
import { createMetrics } from './metrics.ts';

const create = () => {
  const warnings: unknown[] = [];
  const metrics = createMetrics({ warn: (...line: unknown[]) => void warnings.push(line) });
  return { metrics, warnings, figures: async () => readFigures((await metrics.render()).text) };
};

describe('what is recorded', () => {
  test('is counted and timed', async () => {
    const { metrics, figures } = create();

    metrics.recordCall('task/claim', 'ok', 1_500);
    metrics.recordCall('task/claim', 'draining', 500);
    metrics.recordLockWait('lock_conflict', 250);
    metrics.recordValidator('criteria', 'pass', 20);
    metrics.recordLoop('session sweeper', { durationMs: 5, hasFailed: true });
    metrics.recordRefusal('parse_error');

    const found = await figures();
    expect(found.get('baton_calls_total{method="task/claim",outcome="ok"}')).toBe(1);
    expect(found.get('baton_calls_total{method="task/claim",outcome="draining"}')).toBe(1);
    expect(found.get('baton_call_duration_seconds_sum{method="task/claim"}')).toBe(2);
    expect(found.get('baton_lock_wait_time_seconds_bucket{le="0.25",outcome="lock_conflict"}')).toBe(1);
    expect(found.get('baton_validator_duration_seconds_count{validator="criteria",outcome="pass"}')).toBe(1);
    expect(found.get('baton_loop_failures_total{loop="session sweeper"}')).toBe(1);
    expect(found.get('baton_refusals_total{reason="parse_error"}')).toBe(1);
  });

  test('and cannot be recorded is told once and breaks nothing', () => {
    const { metrics, warnings } = create();

    for (let count = 0; count < 3; count++) metrics.recordLockWait('ok', 'soon' as never);

    expect(warnings).toHaveLength(1);
  });
});

describe('what is read', () => {
  test('is read when somebody asks', async () => {
    const { metrics, figures } = create();
    let connections = 1;
    metrics.watch('connections', () => connections);
    metrics.watch('sent_bytes_total', () => 10 * connections);
    await figures();

    connections = 3;

    const found = await figures();
    expect([found.get('baton_connections'), found.get('baton_sent_bytes_total')]).toEqual([3, 30]);
  });

  test('and fails leaves the rest as it is', async () => {
    const { metrics, figures } = create();
    metrics.watch('connections', () => {
      throw new Error('broken');
    });
    metrics.watch('claims_parked', () => 7);

    expect((await figures()).get('baton_claims_parked')).toBe(7);
  });
});

describe('tasks', () => {
  const counts = { blocked: 1, ready: 2, running: 3, claimable: 1 };

  test('are counted when somebody asks, once for all who ask at the same time', async () => {
    const { metrics, figures } = create();
    let looks = 0;
    metrics.watchTasks(async () => {
      looks++;
      return counts;
    });

    const [found] = await Promise.all([figures(), figures()]);

    expect(found?.get('baton_tasks{state="ready"}')).toBe(2);
    expect(found?.get('baton_scheduler_ready_tasks')).toBe(1);
    expect(found?.get('baton_database_up')).toBe(1);
    expect(looks).toBe(1);
  });

  test('that cannot be counted are not shown as they were', async () => {
    const { metrics, figures } = create();
    let isAway = false;
    metrics.watchTasks(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(counts)));
    await figures();

    isAway = true;

    const found = await figures();
    expect(found.get('baton_database_up')).toBe(0);
    expect(found.get('baton_tasks{state="ready"}')).toBeUndefined();
    expect(found.get('baton_scheduler_ready_tasks')).toBeNaN();
  });
});
