import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleArtifact, sampleFacts as facts, silentLog } from './plugin-fixture.ts';
import { createPluginHost, type PluginHostOptions } from './plugin-host.ts';

const limits = { threadsMax: 2, memoryMb: 64, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 65_536 };
const hasBwrap = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'bwrap')));

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  await fixture.write('attacker', {
    signal: `process.kill(artifacts[0].content, 'SIGUSR1');`,
    'signal its own': `process.kill(process.pid, 'SIGUSR1'); await new Promise((resolve) => setTimeout(resolve, 150));`,
    'slow down': `const { setPriority } = await import('node:os'); setPriority(artifacts[0].content, 19);`,
    connect: `const { connect } = await import('node:net'); const said = await new Promise((resolve, reject) => connect(artifacts[0].content).on('data', resolve).on('error', reject)); fail('connected', String(said));`,
  });
  const folder = await fixture.write('trusted', {
    slow: `info('process', String(process.pid)); await new Promise((resolve) => setTimeout(resolve, 150));`,
  });
  const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { readonly baton: object };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...about, baton: { ...about.baton, permissions: ['programs'] } }));
});
afterAll(() => fixture.remove());

async function startHost(options: Partial<PluginHostOptions> = {}) {
  const host = await createPluginHost({
    plugins: ['./attacker', './trusted'],
    mayRunPrograms: ['./trusted'],
    cwd: fixture.folder,
    log: silentLog,
    limits,
    ...options,
  });
  return {
    judge: (use: string, shown: string | number) => host.validate({ use, config: {}, artifacts: [sampleArtifact('shown', shown)], facts }),
    stop: () => host.stop(),
    [Symbol.asyncDispose]: () => host.stop(),
  };
}

test('a plugin opens no inspector in a plugin process, be it its own or that of one that may run programs', async () => {
  const printed: string[] = [];
  const log = { ...silentLog, debug: ({ output }: { readonly output?: string }) => void printed.push(output ?? '') };
  await using host = await startHost({ log });
  const before = await host.judge('slow', 0);

  const attacks = [await host.judge('signal', Number(before.findings[0]?.message)), await host.judge('signal its own', 0)];
  const after = await host.judge('slow', 0);
  await host.stop();

  expect(attacks.map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
  expect(printed).toEqual([]);
  expect(after).toMatchObject({ outcome: 'pass', findings: before.findings });
});

test.runIf(hasBwrap)('with bwrap a plugin reaches no UNIX socket, wherever it lies', async () => {
  await using host = await startHost({ sandbox: 'bwrap' });
  const path = join(fixture.folder, 'daemon.sock');
  const server = createServer((socket) => socket.end('reached')).listen(path);

  const verdict = await host.judge('connect', path);
  server.close();

  expect(verdict).toMatchObject({ outcome: 'error', findings: [{ message: expect.stringContaining('connect ENOENT') as string }] });
});

test.runIf(hasBwrap)('with bwrap a plugin neither signals nor slows down a process that is not its own', async () => {
  await using host = await startHost({ sandbox: 'bwrap' });

  const attacks = [await host.judge('signal', process.pid), await host.judge('slow down', process.pid)];

  expect(attacks.map(({ outcome, findings }) => [outcome, findings[0]?.message])).toEqual([
    ['error', expect.stringContaining('ESRCH')],
    ['error', expect.stringContaining('ESRCH')],
  ]);
});
