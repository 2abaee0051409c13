import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createProgressSender, type ProgressReport } from './progress-sender.ts';

test('of many reports in a row the first and the newest are sent', async () => {
  const sent: ProgressReport[] = [];
  const report = createProgressSender(async (one) => {
    sent.push(one);
    await tick();
  });

  for (let percentage = 1; percentage <= 100; percentage++) report(percentage);
  await tick();
  await tick();

  expect(sent).toEqual([{ percentage: 1 }, { percentage: 100 }]);
});

test('percentages are kept within 0 and 100, and a failed report harms nobody', async () => {
  const sent: ProgressReport[] = [];
  const report = createProgressSender((one) => {
    sent.push(one);
    return Promise.reject(new Error('stale'));
  });

  report(-5, 'began');
  await tick();
  report(250);
  await tick();

  expect(sent).toEqual([{ percentage: 0, message: 'began' }, { percentage: 100 }]);
});

test('a message is told as far as the coordinator takes it', async () => {
  const sent: ProgressReport[] = [];
  const report = createProgressSender(async (one) => void sent.push(one));

  report(1, `a\0${'😀'.repeat(500)}`);
  await tick();

  expect(sent).toEqual([{ percentage: 1, message: `a\uFFFD${'😀'.repeat(498)}…` }]);
});
