import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleFacts as facts, silentLog as log, writePackage } from './plugin-fixture.ts';
import { createPluginHost } from './plugin-host.ts';

const limits = { threadsMax: 1, memoryMb: 64, timeoutMs: 60_000, verdictBytesMax: 16_384 };

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
});
afterAll(() => fixture.remove());

/** Asks a validator that reports nothing, of a plugin that does this while its code is loaded. */
async function judgeAfter(loading: string, { timeoutMs, startMs }: { readonly timeoutMs: number; readonly startMs: number }) {
  const code = `import { z } from 'zod';
    ${loading}
    export default { name: 'late', apiVersion: 1, permissions: [], summarizers: [], validators: [{ name: 'clean', config: z.object({}), validate() {} }] };`;
  const baton = { apiVersion: 1, validators: ['clean'], summarizers: [] };
  const plugin = await writePackage(join(fixture.folder, 'late'), { name: 'late', baton }, code);
  const host = await createPluginHost({ plugins: [plugin], log, limits: { ...limits, startMs } });
  const verdict = await host.validate({ use: 'clean', config: {}, artifacts: [], facts, timeoutMs });
  await host.stop();
  return verdict;
}

test('what it takes until its code is asked is not taken from the time of a validator', async () => {
  const timeoutMs = 1_500;
  const loading = `await new Promise((resolve) => setTimeout(resolve, ${timeoutMs + 100}));`;

  expect(await judgeAfter(loading, { timeoutMs, startMs: 60_000 })).toMatchObject({ outcome: 'pass' });
});

test('a plugin that never comes to an end of loading is an error, long before the time of its validator is over', async () => {
  const verdict = await judgeAfter('for (;;) {}', { timeoutMs: 600_000, startMs: 500 });

  expect(verdict).toMatchObject({
    outcome: 'error',
    findings: [{ code: 'crashed', message: expect.stringContaining('it had not begun after 500 ms') as string }],
  });
});
