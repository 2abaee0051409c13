import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Claim, createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { observeSessions } from '../support/session-observer.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

// With a lease of 15 s that is within 17 s: a beat is written down up to a sweep of 1 s late, and the next sweep comes 1 s after the lease.
test('W12 after kill -9 of an agent its task is claimable from the first sweep after its lease, and its late result is refused', async () => {
  await using daemon = await startDaemon({ config: { leaseMs: 4_000, sweepMs: 200 } });
  await using observer = await observeSessions(daemon.databaseUrl!);
  await observer.recordSweeps();
  const { ticket, type, submit } = await setUpBench(daemon);
  await submit({ title: 'Mend it', locks: [{ key: 'file:src/a.ts' }] });
  const { claim, resumeToken, child } = await startVictim(daemon.url, daemon.tokenFile, type);
  const heir = await daemon.connectAgent({ capabilities: [type] });
  await observer.keep(heir.session.sessionId);

  child.kill('SIGKILL');
  await once(child, 'exit');
  const inherited = await heir.claimOne();
  const dead = createClient(callOverHttp({ url: daemon.httpUrl, token: daemon.token, sessionToken: resumeToken }));
  const late = await outcomeOf(dead.task.complete({ taskId: claim.taskId, attempt: claim.attempt, output: { by: 'the dead' } }));

  const { wasLeaseOver, sweepsBetween } = await observer.readLostAttempt(claim.taskId);
  expect(wasLeaseOver).toBe(true);
  expect(sweepsBetween).toBeLessThanOrEqual(1);
  expect(late).toMatch(/^(claim_stale|session_unknown)$/);
  expect(inherited).toMatchObject({ taskId: claim.taskId, attempt: 2, locks: [{ fence: claim.locks[0]!.fence + 1 }] });
  const task = await daemon.client.task.get({ taskId: claim.taskId });
  expect(task).toMatchObject({ state: 'running', agentName: heir.name });
  expect(task.output).toBeUndefined();
  expect(task.attempts.map(({ outcome }) => outcome)).toEqual(['lost', undefined]);
  // What the heir has to know, and the dead cannot tell.
  const { text } = await heir.client.context.get({ ticketId: ticket.id });
  expect(text).toContain('- "Mend it" held the locks of src/a.ts [');
});

async function startVictim(url: string, tokenFile: string, type: string) {
  const script = join(import.meta.dirname, '..', 'support', 'fixtures', 'claiming-agent.ts');
  const child = spawn(process.execPath, ['--conditions=source', script, url, tokenFile, type], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { claim: Claim; resumeToken: string }) };
}
