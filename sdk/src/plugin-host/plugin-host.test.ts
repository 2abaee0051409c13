import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleArtifact, sampleFacts, silentLog } from './plugin-fixture.ts';
import { createPluginHost, type PluginHost, type ValidatorVerdict } from './plugin-host.ts';

const limits = { threadsMax: 2, memoryMb: 64, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 16_384, graceMs: 200 };
const log = silentLog;
const facts = sampleFacts;
const artifact = sampleArtifact('report', { lines: 3 });

let fixture: PluginFixture;
let plugin: string;
let host: PluginHost;

beforeAll(async () => {
  fixture = await createPluginFixture();
  plugin = await fixture.write('trial', {
    clean: '',
    fails: `fail('too_short', artifacts[0].type + ' has ' + artifacts[0].content.lines + ' lines in ' + facts.phase, { path: 'lines', line: 3 }); warn('w', 'careful'); info('i', 'by the way');`,
    skips: `skip('nothing to judge');`,
    failsAndSkips: `fail('a', 'b'); skip('c');`,
    saysNo: `return { ok: false };`,
    talks: `for (let n = 0; n < 5000; n++) { info('chatter', 'x'.repeat(10_000)); } fail('real', 'the reason');`,
    throws: `throw new RangeError('out of cheese');`,
    throwsText: `throw 'just text';`,
    hangs: `while (true) {}`,
    waits: `await new Promise(() => {});`,
    obeys: `await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));`,
    exits: `process.exit(0);`,
    later: `setTimeout(() => { throw new Error('too late'); }, 20);`,
    slow: `await new Promise((resolve) => setTimeout(resolve, 300));`,
    allocates: `const all = []; while (true) all.push({ text: 'x' + all.length });`,
    kills: `process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});`,
    freezes: `process.kill(process.pid, 'SIGSTOP'); await new Promise(() => {});`,
    leftOut: '',
  });
  host = await createPluginHost({ plugins: [plugin], log, limits });
});
afterAll(async () => {
  await host.stop();
  await fixture.remove();
});

const validate = (use: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<ValidatorVerdict> => {
  // What the test before has done shall not count.
  host.switchOn('trial');
  return host.validate({ use, config: {}, artifacts: [artifact], facts, ...options });
};

describe('a verdict', () => {
  test('is a pass when the validator reports no fail', async () => {
    expect(await validate('clean')).toEqual({ outcome: 'pass', findings: [], durationMs: expect.any(Number) });
  });

  test('is a fail with what was found in the evidence and where', async () => {
    expect(await validate('fails')).toMatchObject({
      outcome: 'fail',
      findings: [
        { severity: 'fail', code: 'too_short', message: 'report has 3 lines in TESTING', path: 'lines', line: 3 },
        { severity: 'warn', code: 'w', message: 'careful' },
        { severity: 'info', code: 'i', message: 'by the way' },
      ],
    });
  });

  test('is skipped with its reason', async () => {
    expect(await validate('skips')).toMatchObject({ outcome: 'skipped', findings: [{ code: 'skipped', message: 'nothing to judge' }] });
  });

  test('is a fail where a validator fails and skips', async () => {
    expect(await validate('failsAndSkips')).toMatchObject({ outcome: 'fail' });
  });

  test('keeps its fail however much else is said', async () => {
    const { outcome, findings } = await validate('talks');

    expect(outcome).toBe('fail');
    expect(findings).toContainEqual({ severity: 'fail', code: 'real', message: 'the reason' });
    expect(findings.at(-1)).toMatchObject({ code: 'findings_omitted', severity: 'info' });
    expect(JSON.stringify(findings).length).toBeLessThan(limits.verdictBytesMax);
  });

  test('is an error where the validator returns a value instead of reporting', async () => {
    expect(await validate('saysNo')).toMatchObject({ outcome: 'error', findings: [{ code: 'answer_invalid' }] });
  });

  test('is an error where nobody offers the validator', async () => {
    expect(await validate('nobody')).toMatchObject({
      outcome: 'error',
      findings: [{ code: 'validator_unknown', message: 'No enabled plugin offers the validator nobody.' }],
    });
  });

  test.each([
    ['throws', 'RangeError: out of cheese'],
    ['throwsText', 'Error: just text'],
  ])('is an error where the validator %s', async (use, message) => {
    expect(await validate(use)).toMatchObject({ outcome: 'error', findings: [{ severity: 'fail', code: 'threw', message }] });
  });

  test('that throws is told with the file and line where it did', async () => {
    expect((await validate('throws')).findings).toMatchObject([{ path: 'index.mjs', line: expect.any(Number) }]);
  });

  test.each(['hangs', 'waits', 'obeys'])('is a timeout where the validator %s', async (use) => {
    const { outcome, durationMs } = await validate(use, { timeoutMs: 300 });

    expect(outcome).toBe('timeout');
    expect(durationMs).toBeGreaterThanOrEqual(299);
  });

  test('is an error where the caller goes away', async () => {
    const leaving = new AbortController();
    const verdict = validate('waits', { signal: leaving.signal });

    leaving.abort();

    expect(await verdict).toMatchObject({ outcome: 'error', findings: [{ code: 'cancelled' }] });
  });
});

describe('a plugin costs its own verdict and nothing else', () => {
  test.each([
    ['ends its thread', 'exits'],
    ['fills the memory', 'allocates'],
    ['kills the process', 'kills'],
  ])('when it %s', async (_, use) => {
    const [guilty, innocent] = await Promise.all([validate(use), validate('slow')]);

    expect(guilty).toMatchObject({ outcome: 'error', findings: [{ code: 'crashed' }] });
    expect(innocent.outcome).toBe('pass');
    expect((await validate('clean')).outcome).toBe('pass');
  });

  test('when it throws after its verdict', async () => {
    expect((await validate('later')).outcome).toBe('pass');
    expect((await Promise.all([validate('slow'), validate('slow')])).map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
  });

  test('when it stops the whole process, which is killed', async () => {
    // It is waited for as long as its start and its time may take together: little, where it has started already.
    const own = await createPluginHost({ plugins: [plugin], log, limits: { ...limits, startMs: 2_000, backstopMs: 500 } });
    await using _stopping = { [Symbol.asyncDispose]: () => own.stop() };
    const ask = (use: string, timeoutMs?: number) =>
      own.validate({ use, config: {}, artifacts: [artifact], facts, ...(timeoutMs !== undefined && { timeoutMs }) });
    const untilStarted = () => vi.waitUntil(async () => (await ask('clean')).outcome === 'pass', { timeout: 50_000 });
    await untilStarted();

    expect(await ask('freezes', 300)).toMatchObject({ outcome: 'timeout' });
    await untilStarted();
  });
});

test('more jobs than threads take turns', async () => {
  const verdicts = await Promise.all(Array.from({ length: 7 }, () => validate('clean')));

  expect(verdicts.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 7 }, () => 'pass'));
});

test('stopping ends what runs, and what comes later is an error', async () => {
  const own = await createPluginHost({ plugins: [plugin], log, limits });
  const running = own.validate({ use: 'waits', config: {}, artifacts: [], facts });

  await own.stop();

  expect(await running).toMatchObject({ outcome: 'error', findings: [{ code: 'cancelled' }] });
  expect(await own.validate({ use: 'clean', config: {}, artifacts: [], facts })).toMatchObject({
    outcome: 'error',
    findings: [{ code: 'cancelled' }],
  });
});
