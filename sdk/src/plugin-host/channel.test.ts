import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleFacts, silentLog } from './plugin-fixture.ts';
import { createPluginHost, type PluginHost } from './plugin-host.ts';

/** Of a validator that writes bytes wherever its process has something open, and then says that nothing was found. */
const toAllDescriptors = (bytes: string) => `
  const { writeSync } = await import('node:fs');
  const { serialize } = await import('node:v8');
  const number = (value) => { const four = Buffer.alloc(4); four.writeUInt32BE(value); return four; };
  const frame = (header, body = '') => { const text = JSON.stringify(header); return Buffer.concat([number(Buffer.byteLength(text)), number(Buffer.byteLength(body)), Buffer.from(text + body)]); };
  const nodeFrame = (value) => { const text = serialize(value); return Buffer.concat([number(text.length), text]); };
  const bytes = ${bytes};
  for (let fd = 0; fd <= 64; fd += 1) { try { writeSync(fd, bytes); } catch {} }
  await new Promise((resolve) => setTimeout(resolve, 50));`;

const limits = {
  threadsMax: 2,
  memoryMb: 64,
  timeoutMs: 60_000,
  startMs: 60_000,
  verdictBytesMax: 65_536,
  graceMs: 200,
  backstopMs: 3_000,
};
const triedOnceMore: unknown[] = [];
const printed: unknown[] = [];
const log = {
  ...silentLog,
  warn(fields: { readonly plugin?: string }, message: string) {
    if (message.includes('tried once more')) triedOnceMore.push(fields.plugin);
  },
  debug: (fields: { readonly output?: string }) => void printed.push(fields.output),
};

let fixture: PluginFixture;
let host: PluginHost;
beforeAll(async () => {
  fixture = await createPluginFixture();
  await fixture.write('attacker', {
    'random bytes': toAllDescriptors(`new Uint8Array(4096).fill(0xa5)`),
    'an announcement of 2 GiB': toAllDescriptors(`Buffer.from('7fffffff7fffffff', 'hex')`),
    'a part of a message': toAllDescriptors(`Buffer.from('0000001000', 'hex')`),
    'a message without sense': toAllDescriptors(`frame({ id: 1, kind: 'answered', text: { toString: 1 } })`),
    'verdicts of jobs whose names it guesses': toAllDescriptors(
      `Buffer.concat(Array.from({ length: 50 }, (_, id) => frame({ id: String(id), kind: 'answered' }, JSON.stringify({ kind: 'judged', findings: [] }))))`,
    ),
    'what Node itself sends between processes': toAllDescriptors(
      `Buffer.concat([Buffer.from('00000006ff0f6f610000', 'hex'), nodeFrame({ id: 1, answer: null }), nodeFrame(undefined)])`,
    ),
    'nothing, and closes them': `const { closeSync } = await import('node:fs'); for (let fd = 0; fd <= 64; fd += 1) { try { closeSync(fd); } catch {} } await new Promise(() => {});`,
    prints: `const { writeSync } = await import('node:fs'); const text = 'x'.repeat(65_536); for (;;) for (const fd of [1, 2]) { try { writeSync(fd, text); } catch {} }`,
    clean: '',
  });
  await fixture.write('innocent', { slow: `await new Promise((resolve) => setTimeout(resolve, 150));` });
  host = await createPluginHost({ plugins: ['./attacker', './innocent'], cwd: fixture.folder, log, limits });
});
afterAll(async () => {
  await host.stop();
  await fixture.remove();
});
const validate = (use: string, timeoutMs = limits.timeoutMs) => {
  host.switchOn('attacker');
  return host.validate({ use, config: {}, artifacts: [], facts: sampleFacts, timeoutMs });
};

test.each([
  'random bytes',
  'an announcement of 2 GiB',
  'a part of a message',
  'a message without sense',
  'verdicts of jobs whose names it guesses',
  'what Node itself sends between processes',
  'nothing, and closes them',
])('a plugin that writes %s wherever something is open loses its own verdict, and nobody else has to be asked again', async (attack) => {
  triedOnceMore.length = 0;

  const [verdict, ...others] = await Promise.all([validate(attack), validate('slow'), validate('slow')]);

  expect(verdict).toMatchObject({ outcome: 'error', findings: [{ code: 'crashed' }] });
  expect(others.map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
  expect(triedOnceMore).toEqual(['attacker']);
  expect((await validate('clean')).outcome).toBe('pass');
});

test('a plugin that prints without end is heard now and then only', async () => {
  printed.length = 0;
  const since = performance.now();

  const [verdict, other] = await Promise.all([validate('prints', 400), validate('slow')]);

  expect(verdict.outcome).toBe('timeout');
  expect(other.outcome).toBe('pass');
  expect(printed.length).toBeLessThan((2 * (performance.now() - since)) / 40 + 10);
});
