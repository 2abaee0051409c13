import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleFacts, silentLog as log, writePackage } from './plugin-fixture.ts';
import { createPluginHost, type PluginHost } from './plugin-host.ts';
import type { SwitchedOff } from './strikes.ts';

const limits = { threadsMax: 2, memoryMb: 64, timeoutMs: 1_000, startMs: 60_000, verdictBytesMax: 2_000, graceMs: 100, backstopMs: 10_000 };

let fixture: PluginFixture;
let host: PluginHost;
const told: SwitchedOff[] = [];
beforeAll(async () => {
  fixture = await createPluginFixture();
  await fixture.write('clumsy', {
    clean: '',
    fails: `fail('no', 'Not good enough.');`,
    throws: `throw new Error('no');`,
    exits: `process.exit(0);`,
    pollutesAtTimes: `if (facts.visit === 1) Object.prototype.polluted = true;`,
    pollutes: `Object.prototype.polluted = true;`,
    'goes on': `for (;;) {}`,
  });
  await fixture.write('innocent', { good: '' });
  const summarizer = `export default { name: 'wordy', apiVersion: 1, validators: [], permissions: [], summarizers: [{ name: 'wordy', config: z.object({}), async summarize() { return { text: 'x'.repeat(5_000), citations: [] }; } }] };`;
  const baton = { apiVersion: 1, validators: [], summarizers: ['wordy'] };
  await writePackage(join(fixture.folder, 'wordy'), { name: 'wordy', baton }, `import { z } from 'zod'; ${summarizer}`);
  host = await createPluginHost({ plugins: ['./clumsy', './innocent', './wordy'], cwd: fixture.folder, log, limits });
  host.onSwitchedOff((off) => told.push(off));
});
beforeEach(() => {
  told.length = 0;
  for (const { name } of host.list()) host.switchOn(name);
});
afterAll(async () => {
  await host.stop();
  await fixture.remove();
});

interface Asked {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly visit?: number;
}
// More than the usual time of this host: a process may have to start first, however long that takes here.
const validate = (use: string, { visit = 1, timeoutMs = 60_000, ...options }: Asked = {}) =>
  host.validate({ use, config: {}, artifacts: [], facts: { ...sampleFacts, visit }, timeoutMs, ...options });
const times = async (count: number, ask: () => Promise<unknown>) => {
  for (let n = 0; n < count; n += 1) await ask();
};

test.each([
  ['exits', 'it ended its thread or process'],
  ['pollutes', 'It changed what all objects of its thread share'],
  ['goes on', 'it went on after its time was over'],
])('a validator that %s three times in a row switches its plugin off, and others go on', async (use, reason) => {
  await times(3, () => validate(use, use === 'goes on' ? { timeoutMs: limits.timeoutMs } : {}));

  expect(told).toEqual([{ plugin: 'clumsy', reason: expect.stringContaining(reason) as string }]);
  expect(host.list()).toMatchObject([{ name: 'clumsy', offBecause: told[0]?.reason }, { name: 'innocent' }, { name: 'wordy' }]);
  const message = `The plugin clumsy is switched off: ${told[0]?.reason}`;
  expect(await validate('clean')).toMatchObject({ outcome: 'error', findings: [{ code: 'plugin_off', message }] });
  expect((await validate('good')).outcome).toBe('pass');

  host.switchOn('clumsy');
  expect((await validate('clean')).outcome).toBe('pass');
});

test('a summarizer whose answer is too large three times in a row switches its plugin off', async () => {
  const summarize = () => host.summarize({ use: 'wordy', config: {}, items: [], budgetTokens: 100, timeoutMs: 60_000 });

  await times(3, async () => expect(await summarize()).toEqual({ outcome: 'error', message: 'Its answer is larger than allowed.' }));

  expect(told).toEqual([{ plugin: 'wordy', reason: 'Its answer is larger than allowed.' }]);
});

test('a run of a validator without harm forgives what it did before, and not what another validator of its plugin did', async () => {
  const pollute = () => validate('pollutesAtTimes');

  await times(2, pollute);
  await validate('pollutesAtTimes', { visit: 2 });
  await times(2, pollute);
  const afterOwnRun = [...told];
  await validate('clean');
  await pollute();

  expect(afterOwnRun).toEqual([]);
  expect(told).toMatchObject([{ plugin: 'clumsy' }]);
});

test('a run that was cancelled forgives nothing', async () => {
  await times(2, () => validate('pollutes'));
  const cancelled = await validate('pollutes', { signal: AbortSignal.abort() });
  const beforeThird = [...told];
  await validate('pollutes');

  expect(cancelled).toMatchObject({ outcome: 'error', findings: [{ code: 'cancelled' }] });
  expect(beforeThird).toEqual([]);
  expect(told).toMatchObject([{ plugin: 'clumsy' }]);
});

test('a fail, a throw, less than the usual time and a caller who has gone are no strikes', async () => {
  await times(3, () => validate('fails'));
  await times(3, () => validate('throws'));
  await times(3, () => validate('goes on', { timeoutMs: 50 }));
  await times(3, () => validate('goes on', { timeoutMs: 60_000, signal: AbortSignal.timeout(50) }));

  expect(told).toEqual([]);
});
