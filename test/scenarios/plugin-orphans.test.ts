import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleFacts } from '../../sdk/src/plugin-host/plugin-fixture.ts';

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
  const program = `require('fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + process.ppid + '.'); setTimeout(() => {}, 60_000)`;
  const code = `
    import { createPluginHost } from ${JSON.stringify(import.meta.resolve('@baton/sdk/plugin/host'))};
    const log = { debug() {}, warn() {}, error() {} };
    const limits = { threadsMax: 1, memoryMb: 64, timeoutMs: 60_000, verdictBytesMax: 10_000 };
    const host = await createPluginHost({ plugins: ['@baton/plugin-command'], mayRunPrograms: ['@baton/plugin-command'], bases: [${JSON.stringify(import.meta.resolve('@baton/coordinator/package.json'))}], log, limits });
    const config = { command: [process.execPath, '-e', ${JSON.stringify(program)}] };
    await host.validate({ use: 'command', config, artifacts: [], facts: ${JSON.stringify(sampleFacts)} });`;
  coordinator = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', code], { stdio: 'inherit' });
  await vi.waitUntil(() => existsSync(pids) && readFileSync(pids, 'utf8').endsWith('.'), { timeout: 20_000 });
  const [ofProgram, ofHost] = readFileSync(pids, 'utf8').split(' ').map(Number.parseFloat);

  coordinator.kill('SIGKILL');

  await vi.waitUntil(() => !isRunning(ofProgram!) && !isRunning(ofHost!), { timeout: 10_000 });
  expect(ofHost).not.toBe(coordinator.pid);
});

/** Where nobody collects the orphans of a container, an ended process keeps its number as a zombie. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}`) || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
