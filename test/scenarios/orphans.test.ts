import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPluginHost } from '@baton/sdk/plugin/host';
import { createPluginFixture, type PluginFixture, sampleFacts, silentLog } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { startDaemon } from '../support/daemon.ts';
import { patienceMs } from '../support/eventually.ts';
import { isRunning } from '../support/is-running.ts';
import { startBaton } from '../support/process.ts';
import { createTicketIn } from '../support/work.ts';

let fixture: PluginFixture;
let coordinator: ChildProcess | undefined;
beforeAll(async () => {
  fixture = await createPluginFixture();
});
afterAll(async () => {
  coordinator?.kill('SIGKILL');
  await fixture.remove();
});

test('when the coordinator is killed, the plugin process and the programs of its validators end', async () => {
  const pids = join(fixture.folder, 'pids');
  const program = `require('fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + process.ppid + '.'); setTimeout(() => {}, 600_000)`;
  const code = `
    import { createPluginHost } from ${JSON.stringify(import.meta.resolve('@baton/sdk/plugin/host'))};
    const log = { debug() {}, warn() {}, error() {} };
    const limits = { threadsMax: 1, memoryMb: 64, timeoutMs: 600_000, verdictBytesMax: 10_000 };
    const host = await createPluginHost({ plugins: ['@baton/plugin-command'], mayRunPrograms: ['@baton/plugin-command'], bases: [${JSON.stringify(import.meta.resolve('@baton/coordinator/package.json'))}], log, limits });
    const config = { command: [process.execPath, '-e', ${JSON.stringify(program)}] };
    await host.validate({ use: 'command', config, artifacts: [], facts: ${JSON.stringify(sampleFacts)} });`;
  coordinator = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', code], { stdio: 'inherit' });
  await vi.waitUntil(() => existsSync(pids) && readFileSync(pids, 'utf8').endsWith('.'), { timeout: patienceMs });
  const [ofProgram, ofHost] = readFileSync(pids, 'utf8').split(' ').map(Number.parseFloat);

  coordinator.kill('SIGKILL');

  await vi.waitUntil(() => !isRunning(ofProgram!) && !isRunning(ofHost!), { timeout: patienceMs });
  expect(ofHost).not.toBe(coordinator.pid);
});

test('when a plugin process is killed, its program ends with it: no second one runs beside the first, and none after the host has stopped', async () => {
  const pids = join(fixture.folder, 'started');
  const program = `require('fs').appendFileSync(${JSON.stringify(pids)}, process.pid + ' ' + process.ppid + '\\n'); setTimeout(() => {}, 600_000)`;
  const host = await createPluginHost({
    plugins: ['@baton/plugin-command'],
    mayRunPrograms: ['@baton/plugin-command'],
    bases: [import.meta.resolve('@baton/coordinator/package.json')],
    log: silentLog,
    limits: { threadsMax: 1, memoryMb: 64, timeoutMs: 600_000, verdictBytesMax: 10_000 },
  });
  await using _stopping = { [Symbol.asyncDispose]: () => host.stop() };
  const untilStarted = async (count: number) => {
    const lines = () => (existsSync(pids) ? readFileSync(pids, 'utf8').split('\n').slice(0, -1) : []);
    await vi.waitUntil(() => lines().length === count, { timeout: patienceMs });
    return lines()[count - 1]!.split(' ').map(Number) as [number, number];
  };
  const config = { command: [process.execPath, '-e', program] };
  const judging = host.validate({ use: 'command', config, artifacts: [], facts: sampleFacts });

  const [first, ofFirst] = await untilStarted(1);
  process.kill(ofFirst, 'SIGKILL');
  const [second, ofSecond] = await untilStarted(2);
  await vi.waitUntil(() => !isRunning(first), { timeout: patienceMs });
  process.kill(ofSecond, 'SIGKILL');
  const { outcome } = await judging;
  await host.stop();

  expect(outcome).toBe('error');
  expect(ofSecond).not.toBe(ofFirst);
  await vi.waitUntil(() => !isRunning(second), { timeout: patienceMs });
});

test('when an agent is killed, the program that does its task ends, so that nobody works on what is handed to another', async () => {
  await using daemon = await startDaemon();
  const pids = join(fixture.folder, 'working');
  const program = `require('fs').writeFileSync(${JSON.stringify(pids)}, process.pid + '.'); setTimeout(() => {}, 600_000)`;
  const options = ['--name', 'writer', '--capabilities', 'writing', '--url', daemon.url, '--token-file', daemon.tokenFile];
  const agent = startBaton(['agent', '--command', ...options, '--', process.execPath, '-e', program]);
  const { id: ticketId } = await createTicketIn(daemon.client, 'TESTING');
  await daemon.client.task.submit({ ticketId, tasks: [{ type: 'writing' }] });
  await vi.waitUntil(() => existsSync(pids) && readFileSync(pids, 'utf8').endsWith('.'), { timeout: patienceMs });
  const pid = Number.parseInt(readFileSync(pids, 'utf8'));

  agent.kill('SIGKILL');
  await agent.exited;

  await vi.waitUntil(() => !isRunning(pid), { timeout: patienceMs });
});
