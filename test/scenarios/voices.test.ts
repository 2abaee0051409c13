import type { ApprovalRule, Role } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { createClient } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { registerTestAgent } from '../support/test-agent.ts';
import { outcomeOf, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

/** An approval that is asked for, of the work that `make` does. */
async function ask(rule: Partial<ApprovalRule>, make: (ticketId: string) => Promise<unknown> = async () => undefined) {
  const { client } = daemon;
  const name = `voices ${crypto.randomUUID()}`;
  const roles: Role[] = ['agent', 'operator', 'admin'];
  const gate = { tasksMin: 0, approvals: [{ name: 'release', ...(rule.by === undefined && { roles }), ...rule }] };
  await client.workflow.put({
    definition: { name, phases: [{ name: 'WORK', gate }, { name: 'DONE' }], edges: [{ from: 'WORK', to: 'DONE', kind: 'forward' }] },
  });
  const { id: ticketId } = await client.ticket.create({ title: 'To be approved', workflow: { name } });
  await make(ticketId);
  await client.gate.validate({ ticketId });
  const [approval] = (await client.approval.list({ ticketId })).approvals;
  return approval!.id;
}

/** An agent of this name on a new token. */
const agentOn = async (token: string, name: string, capabilities: readonly string[] = []) =>
  registerTestAgent(await daemon.connectAs('agent', token), { name, capabilities });

const approve = ({ client }: Pick<Daemon, 'client'>, approvalId: string) => client.approval.decide({ approvalId, decision: 'approve' });

describe('a voice is a token', () => {
  test('and not a name that an agent gives itself', async () => {
    const id = await ask({ by: ['ada'] });

    const forged = approve(await agentOn('mallory', 'ada'), id);

    await expect(forged).rejects.toMatchObject({
      kind: 'approval_not_yours',
      data: { message: 'It takes a token of the name ada; yours is mallory. What an agent calls itself does not count.' },
    });
    expect(await outcomeOf(approve(await agentOn('ada', 'whoever'), id))).toBe('accepted');
  });

  test('so that two agents of one token count once, and two of two tokens twice', async () => {
    const id = await ask({ count: 2 });
    const { token } = await daemon.client.token.create({ name: 'team', role: 'agent' });
    const decide = async (sessionToken: string) =>
      approve({ client: createClient(callOverHttp({ url: daemon.httpUrl, token, sessionToken })) }, id);
    const register = async (name: string) =>
      (await createClient(callOverHttp({ url: daemon.httpUrl, token })).agent.register({ name, capabilities: [], capacity: 1 }))
        .resumeToken;

    await decide(await register('one of the team'));
    const twice = await decide(await register('another of the team'));
    const other = await approve(await agentOn('neighbour', 'one of the team'), id);

    expect(twice).toMatchObject({ state: 'waiting', decisions: [{ by: 'team', agent: 'one of the team' }] });
    expect(other).toMatchObject({ state: 'approved', decisions: [{ by: 'team' }, { by: 'neighbour', agent: 'one of the team' }] });
  });

  test('and stays the same voice when another token of the name takes its place', async () => {
    const id = await ask({ count: 2 });
    await approve(await daemon.connectAs('agent', 'renewed'), id);

    const again = await approve(await daemon.connectAs('agent', 'renewed'), id);

    expect(again).toMatchObject({ state: 'waiting', decisions: [{ by: 'renewed' }] });
  });
});

describe('an author is a token', () => {
  const stored = (token: string, name: string) => async (ticketId: string) =>
    (await agentOn(token, name)).client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Mine.' } } });

  test('so that another name does not help to approve what one has stored, and the error says what does', async () => {
    const id = await ask({}, stored('writer', 'ada'));

    const own = approve(await agentOn('writer', 'bob'), id);

    await expect(own).rejects.toMatchObject({
      kind: 'approval_not_yours',
      data: { message: expect.stringMatching(/made with your token writer.*baton token create.*authorsMay/) as string },
    });
    expect(await outcomeOf(approve(await agentOn('reader', 'ada'), id))).toBe('accepted');
  });

  test('nor what one has done as a task', async () => {
    const type = uniqueType();
    const id = await ask({}, async (ticketId) => {
      await daemon.client.task.submit({ ticketId, tasks: [{ type }] });
      const worker = await agentOn('worker', 'ada', [type]);
      await worker.complete(await worker.claimOne());
    });

    expect(await outcomeOf(approve(await agentOn('worker', 'bob'), id))).toBe('approval_not_yours');
    expect(await outcomeOf(approve(await agentOn('checker', 'ada'), id))).toBe('accepted');
  });

  test('whom an artifact names beside what its agent calls itself', async () => {
    const { id: ticketId } = await daemon.client.ticket.create({ title: 'Evidence' });

    const artifact = await stored('keeper', 'ada')(ticketId);

    expect(artifact).toMatchObject({ author: 'ada', token: 'keeper' });
    expect(await daemon.client.artifact.get({ artifactId: artifact.id })).toMatchObject({ author: 'ada', token: 'keeper' });
  });
});

describe('a session belongs to its token', () => {
  const register = async (token: string, resumeToken?: string) =>
    createClient(callOverHttp({ url: daemon.httpUrl, token })).agent.register({
      name: 'the same agent',
      capabilities: [],
      capacity: 1,
      ...(resumeToken !== undefined && { resumeToken }),
    });
  const issue = async (name: string) => (await daemon.client.token.create({ name, role: 'agent' })).token;

  test('and is unknown to whoever comes with another', async () => {
    const { resumeToken } = await register(await issue('owner'));

    const stolen = createClient(callOverHttp({ url: daemon.httpUrl, token: await issue('thief'), sessionToken: resumeToken }));

    expect(await outcomeOf(stolen.agent.heartbeat({}))).toBe('session_unknown');
  });

  test('and goes on with a token of the same name, and with no other', async () => {
    const { sessionId, resumeToken } = await register(await issue('owner'));

    const renewed = await register(await issue('owner'), resumeToken);
    const other = await register(await issue('thief'), resumeToken);

    expect(renewed).toMatchObject({ resumed: true, sessionId });
    expect(other.resumed).toBe(false);
  });
});
