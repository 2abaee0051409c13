import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleArtifact, sampleFacts as facts, silentLog as log } from './plugin-fixture.ts';
import { createPluginHost, type PluginHost } from './plugin-host.ts';

const mib = 1024 * 1024;
const limits = { threadsMax: 2, memoryMb: 256, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 16_384, evidenceBytesMax: 50 * mib };

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  const tell = `info('process', String(process.pid));`;
  await fixture.write('one', {
    first: tell,
    second: tell,
    stuck: `await new Promise(() => {});`,
    measures: `info('length', String(artifacts[0].content.length));`,
  });
  await fixture.write('two', { third: tell });
});
afterAll(() => fixture.remove());

async function startHost(idleMs?: number): Promise<PluginHost & AsyncDisposable> {
  const own = { ...limits, ...(idleMs !== undefined && { idleMs }) };
  const host = await createPluginHost({ plugins: ['./one', './two'], cwd: fixture.folder, log, limits: own });
  return { ...host, [Symbol.asyncDispose]: () => host.stop() };
}

const findProcess = async (host: PluginHost, use: string) =>
  Number((await host.validate({ use, config: {}, artifacts: [], facts })).findings[0]?.message);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the validators of one plugin share a process, and those of another have their own', async () => {
  await using host = await startHost();

  const [first, second, third] = [await findProcess(host, 'first'), await findProcess(host, 'second'), await findProcess(host, 'third')];

  expect(second).toBe(first);
  expect(third).not.toBe(first);
  expect([first, third]).not.toContain(process.pid);
});

test('a process that has had nothing to do for a while ends, and is started anew when it is needed', async () => {
  await using host = await startHost(50);

  const first = await findProcess(host, 'first');
  await vi.waitUntil(() => !isRunning(first), { timeout: 50_000 });
  const second = await findProcess(host, 'first');

  expect(isRunning(first)).toBe(false);
  expect(second).toBeGreaterThan(0);
  expect(second).not.toBe(first);
});

test('when the host has stopped, its processes are gone', async () => {
  const host = await startHost();
  const pids = [await findProcess(host, 'first'), await findProcess(host, 'third')];

  await host.stop();

  expect(pids.map(isRunning)).toEqual([false, false]);
});

test('while validators of one plugin never end, and hold all places that they may, one of another plugin answers', async () => {
  await using host = await startHost();
  const stuck = ['stuck', 'stuck', 'stuck'].map((use) => host.validate({ use, config: {}, artifacts: [], facts }));

  const verdict = await host.validate({ use: 'third', config: {}, artifacts: [], facts });
  await host.stop();

  expect(verdict.outcome).toBe('pass');
  expect((await Promise.all(stuck)).map(({ outcome }) => outcome)).toEqual(['error', 'error', 'error']);
});

test('evidence of 40 MB is judged, and what is larger than allowed is refused without blame', async () => {
  await using host = await startHost();
  const told: unknown[] = [];
  host.onSwitchedOff((off) => told.push(off));
  const artifact = (length: number) => ({ ...sampleArtifact('report', 'ü'.repeat(length)), sizeBytes: 2 * length });
  const measure = (length: number) => host.validate({ use: 'measures', config: {}, artifacts: [artifact(length)], facts });

  const allowed = await measure(20 * mib);
  const refused = [await measure(26 * mib), await measure(26 * mib), await measure(26 * mib)];

  expect(allowed).toMatchObject({ outcome: 'pass', findings: [{ code: 'length', message: String(20 * mib) }] });
  for (const verdict of refused) {
    expect(verdict).toMatchObject({ outcome: 'error', findings: [{ code: 'evidence_too_large' }] });
    expect(verdict.findings[0]?.message).toBe(
      `The evidence takes ${52 * mib} bytes, and validators are shown at most ${50 * mib} (pluginEvidenceBytesMax). Put large contents elsewhere and name them by uri, or have the limit raised.`,
    );
  }
  expect(told).toEqual([]);
});

test('more gates at once than evidence is kept for each judge their own', async () => {
  await using host = await startHost();
  const lengths = Array.from({ length: 12 }, (_, index) => 1 + (index % 6));
  const shown = new Map(lengths.map((length) => [length, [sampleArtifact('report', 'x'.repeat(length))]]));

  const verdicts = await Promise.all(
    lengths.map((length) => host.validate({ use: 'measures', config: {}, artifacts: shown.get(length)!, facts })),
  );

  expect(verdicts.map(({ findings }) => Number(findings[0]?.message))).toEqual(lengths);
});

test('where there is too little memory to begin with, a validator is told so and does not wait for its time to be over', async () => {
  const tooLittle = { ...limits, memoryMb: 4, timeoutMs: 600_000 };
  const host = await createPluginHost({ plugins: ['./one'], cwd: fixture.folder, log, limits: tooLittle });

  const { outcome, findings } = await host.validate({ use: 'first', config: {}, artifacts: [], facts });
  await host.stop();

  expect(outcome).toBe('error');
  expect(findings[0]?.code).toBe('crashed');
});
