import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleFacts as facts, silentLog, writePackage } from './plugin-fixture.ts';
import { createPluginHost } from './plugin-host.ts';

const limits = { threadsMax: 1, memoryMb: 64, timeoutMs: 60_000, verdictBytesMax: 16_384 };

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
});
afterAll(() => fixture.remove());

/** A validator that reports nothing, of a plugin that does this while its code is loaded. */
async function openLate(loading: string, startMs: number) {
  const code = `import { z } from 'zod';
    ${loading}
    export default { name: 'late', apiVersion: 1, permissions: [], summarizers: [], validators: [{ name: 'clean', config: z.object({}), validate() {} }] };`;
  const baton = { apiVersion: 1, validators: ['clean'], summarizers: [] };
  const plugin = await writePackage(join(fixture.folder, 'late'), { name: 'late', baton }, code);
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) };
  const host = await createPluginHost({ plugins: [plugin], log, limits: { ...limits, startMs } });
  return {
    judge: (timeoutMs: number) => host.validate({ use: 'clean', config: {}, artifacts: [], facts, timeoutMs }),
    warnings,
    offBecause: () => host.list()[0]?.offBecause,
    [Symbol.asyncDispose]: () => host.stop(),
  };
}

test('what it takes until its code is asked is not taken from the time of a validator', async () => {
  const timeoutMs = 1_500;
  const loading = `await new Promise((resolve) => setTimeout(resolve, ${timeoutMs + 100}));`;

  await using late = await openLate(loading, 60_000);

  expect(await late.judge(timeoutMs)).toMatchObject({ outcome: 'pass' });
});

test('a plugin that takes too long to load is an error, long before the time of its validator is over, not tried twice and not blamed', async () => {
  await using late = await openLate('for (;;) {}', 500);

  for (let times = 1; times <= 3; times++) {
    const { outcome, findings } = await late.judge(600_000);
    expect({ outcome, findings }).toEqual({
      outcome: 'error',
      findings: [{ severity: 'fail', code: 'not_begun', message: expect.stringContaining('not loaded within 500 ms') as string }],
    });
  }

  expect(late.warnings).toEqual([]);
  expect(late.offBecause()).toBeUndefined();
});
