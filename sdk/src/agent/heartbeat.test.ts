import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HeartbeatParts, startHeartbeat } from './heartbeat.ts';

type Beat = HeartbeatParts['beat'];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('two intervals make two beats', async () => {
  const beat = vi.fn<Beat>(async () => ({ heartbeatMs: 5_000 }));
  const { stop } = startHeartbeat({ heartbeatMs: 5_000, beat, onError: () => {} });

  await vi.advanceTimersByTimeAsync(10_000);

  expect(beat).toHaveBeenCalledTimes(2);
  stop();
});

test('no beat comes after the stop', async () => {
  const beat = vi.fn<Beat>(async () => ({ heartbeatMs: 5_000 }));
  const { stop } = startHeartbeat({ heartbeatMs: 5_000, beat, onError: () => {} });
  await vi.advanceTimersByTimeAsync(5_000);

  stop();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(beat).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('a beat that fails is reported and the next comes all the same', async () => {
  const onError = vi.fn<(error: unknown) => void>();
  const beat = vi.fn<Beat>().mockRejectedValueOnce(new Error('lost')).mockResolvedValue({ heartbeatMs: 5_000 });
  const { stop } = startHeartbeat({ heartbeatMs: 5_000, beat, onError });

  await vi.advanceTimersByTimeAsync(10_000);

  expect(onError).toHaveBeenCalledExactlyOnceWith(new Error('lost'));
  expect(beat).toHaveBeenCalledTimes(2);
  stop();
});

test('the answer sets the pace', async () => {
  const beat = vi.fn<Beat>(async () => ({ heartbeatMs: 1_000 }));
  const { stop } = startHeartbeat({ heartbeatMs: 5_000, beat, onError: () => {} });

  await vi.advanceTimersByTimeAsync(8_000);

  expect(beat).toHaveBeenCalledTimes(4);
  stop();
});

test('a slow answer does not move the next beat', async () => {
  const beat = vi.fn<Beat>(async () => {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    return { heartbeatMs: 5_000 };
  });
  const { stop } = startHeartbeat({ heartbeatMs: 5_000, beat, onError: () => {} });

  await vi.advanceTimersByTimeAsync(15_000);

  expect(beat).toHaveBeenCalledTimes(3);
  stop();
});
