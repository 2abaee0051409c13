import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Claim, createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { setUpBench } from '../support/work.ts';

test('W12 after kill -9 of an agent its task is claimable within 17 s, and its late result is refused', async () => {
  await using daemon = await startDaemon({ config: { leaseMs: 15_000 } });
  const { type, submit } = await setUpBench(daemon);
  await submit({ locks: [{ key: 'file:src/a.ts' }] });
  const { claim, resumeToken, child } = await startVictim(daemon.url, daemon.tokenFile, type);
  const heir = await daemon.connectAgent({ capabilities: [type] });

  child.kill('SIGKILL');
  await once(child, 'exit');
  const inherited = await claimWithin(heir, 17_000);
  const dead = createClient(callOverHttp({ url: daemon.httpUrl, token: daemon.token, sessionToken: resumeToken }));
  const late = dead.task.complete({ taskId: claim.taskId, attempt: claim.attempt, output: { by: 'the dead' } });

  await expect(late).rejects.toMatchObject({ kind: expect.stringMatching(/^(claim_stale|session_unknown)$/) as string });
  expect(inherited).toMatchObject({ taskId: claim.taskId, attempt: 2, locks: [{ fence: claim.locks[0]!.fence + 1 }] });
  const task = await daemon.client.task.get({ taskId: claim.taskId });
  expect(task).toMatchObject({ state: 'running', agentName: heir.name });
  expect(task.output).toBeUndefined();
  expect(task.attempts.map(({ outcome }) => outcome)).toEqual(['lost', undefined]);
});

/** Asks again and again, as an agent does: a call that waits is no sign of life. */
async function claimWithin(agent: TestAgent, limitMs: number): Promise<Claim | undefined> {
  const deadline = performance.now() + limitMs;
  for (let leftMs = limitMs; leftMs > 0; leftMs = Math.floor(deadline - performance.now())) {
    const [claim] = await agent.claim({ waitMs: Math.min(leftMs, 5_000) });
    if (claim !== undefined) return claim;
  }
  return undefined;
}

async function startVictim(url: string, tokenFile: string, type: string) {
  const script = join(import.meta.dirname, '..', 'support', 'fixtures', 'claiming-agent.ts');
  const child = spawn(process.execPath, ['--conditions=source', script, url, tokenFile, type], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { claim: Claim; resumeToken: string }) };
}
