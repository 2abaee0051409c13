import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  // Nobody beats here, and all are to be healthy.
  daemon = await startDaemon({ config: { heartbeatMs: 20_000 } });
});
afterAll(() => daemon.stop());

const baton = (...args: readonly string[]) => runBatonAt(daemon, ...args);

const rowOf = (table: string, name: string) => table.split('\n').find((line) => line.startsWith(`${name} `));

describe('baton agents', () => {
  test('search where nobody is there says so, whatever was asked for', async () => {
    expect((await baton('agents', 'search', '--tag', 'gpu')).stdout).toMatch(/^There is no agent that may work and is as asked for;/);
  });

  test('lists what they are, how they are, and how many of their slots are free', async () => {
    const { agent, type } = await setUpBench(daemon, { capacity: 3 });

    const { code, stdout } = await baton('agents');

    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^NAME +TYPE +STATUS +HEALTH +FREE +CAPABILITIES +ID +WHY$/);
    expect(rowOf(stdout, agent.name)).toMatch(new RegExp(`^${agent.name} +worker +idle +healthy +3/3 +${type} +${agent.session.agentId}$`));
  });

  test('search tells the parts of the score, and what each lacks', async () => {
    const python = uniqueType();
    const agent = await daemon.connectAgent({ capabilities: [`${python}@3.12.1`], capacity: 3 });

    const { code, stdout } = await baton('agents', 'search', `${python}@>=3.11`, 'rust');
    const json = await baton('agents', 'search', `${python}@>=3.11`, 'rust', '--json');

    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^NAME +SCORE +COVERAGE +FREE SHARE +HEALTHY +CAPACITY +STATUS +FREE +LACKS$/);
    expect(rowOf(stdout, agent.name)).toMatch(/ 1\.050 +0\.500 +0\.200 +0\.200 +0\.150 +idle +3\/3 +rust$/);
    expect(JSON.parse(json.stdout)).toMatchObject([{ score: 1.05, missing: ['rust'] }]);
  });

  test('search narrows by tag and status, and says when nobody fits', async () => {
    const capability = uniqueType();
    const agent = await daemon.connectAgent({ capabilities: [capability], tags: ['gpu', 'fast'] });
    await baton('agents', 'set-state', agent.name, 'maintenance', '--reason', 'It is due.');

    expect((await baton('agents', 'search', capability)).stdout).toMatch(/^No agent that may work/);
    expect(
      (await baton('agents', 'search', capability, '--include', 'lost,maintenance', '--tag', 'gpu', '--tag', 'fast')).stdout,
    ).toContain(agent.name);
    expect(await baton('agents', 'search', '--include', 'asleep')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected some of') as string,
    });
  });

  test('set-state takes a name or an id and says what becomes of what runs', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({});
    await agent.claimOne();

    const quarantined = await baton('agents', 'set-state', agent.name, 'quarantined', '--reason', 'Its results are wrong.');
    const listed = await baton('agents');
    const terminated = await baton('agents', 'set-state', agent.session.agentId, 'terminated', '--reason', 'It stays wrong.');

    expect(quarantined).toMatchObject({ code: 0, stdout: `${agent.name} is quarantined and still runs one task.\n` });
    expect(rowOf(listed.stdout, agent.name)).toMatch(/ Its results are wrong\.$/);
    expect(terminated.stdout).toBe(`${agent.name} is terminated; nobody registers under this name again.\n`);
  });

  test('set-state asks for a reason, a state that there is, and an agent that there is', async () => {
    const { name } = await daemon.connectAgent();

    expect((await baton('agents', 'set-state', name, 'quarantined')).code).toBe(2);
    expect((await baton('agents', 'set-state', name, 'asleep', '--reason', 'Why not?')).stderr).toContain('active, maintenance');
    expect(await baton('agents', 'set-state', 'nobody', 'active', '--reason', 'Why not?')).toMatchObject({
      code: 1,
      stderr: 'There is no agent nobody. `baton agents --all` lists all of them.\n',
    });
  });

  test('what is terminated has no free slot, and stays so', async () => {
    const { name } = await daemon.connectAgent();
    await baton('agents', 'set-state', name, 'terminated', '--reason', 'It stays wrong.');

    expect(rowOf((await baton('agents', '--all')).stdout, name)).toMatch(/ terminated +lost +- /);
    const advice = `${name} was terminated (It stays wrong.), which is for good. Start the agent under another name.\n`;
    expect(await baton('agents', 'set-state', name, 'active', '--reason', 'Why not?')).toMatchObject({ code: 1, stderr: advice });
    expect(await baton('agents', 'set-availability', name, 'off')).toMatchObject({ code: 1, stderr: advice });
  });

  test('set-availability keeps its reason as long as it holds', async () => {
    const { name } = await daemon.connectAgent();

    await baton('agents', 'set-availability', name, 'off', '--reason', 'The build server is down.');
    expect(rowOf((await baton('agents')).stdout, name)).toMatch(/ The build server is down\.$/);
    await baton('agents', 'set-availability', name, 'on');
    expect(rowOf((await baton('agents')).stdout, name)).not.toContain('The build server is down.');
  });

  test('set-availability turns an agent off and on', async () => {
    const { name } = await daemon.connectAgent();

    expect((await baton('agents', 'set-availability', name, 'off')).stdout).toBe(`${name} is unavailable and runs nothing.\n`);
    expect((await baton('agents', 'set-availability', name, 'on')).stdout).toBe(`${name} is idle and runs nothing.\n`);
  });

  test('statistics leave out what is nobody', async () => {
    const { code, stdout } = await baton('agents', 'statistics');

    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^(One agent|\d+ agents); \d+ of the \d+ slots of those that may work are free\.\nby status: .*\nby health: .*\nby type: \d+ worker\n$/,
    );
    expect(stdout).not.toMatch(/\b0 (idle|draining|stale)/);
  });
});
