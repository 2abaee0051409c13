import { createClient, type MethodName, type Role, roles } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import type { Daemon } from './daemon.ts';

/** The things of one project that calls can name. */
export interface Objects {
  readonly project: string;
  readonly tokenId: string;
  readonly workflow: string;
  readonly ticketId: string;
  /** Tasks that the agent runs, for calls that end an attempt. */
  readonly runningId: string;
  readonly failingId: string;
  readonly releasedId: string;
  readonly readyId: string;
  /** A task whose first attempt was cancelled. */
  readonly cancelledId: string;
  readonly agentName: string;
  readonly agentId: string;
  readonly sessionToken: string;
  readonly artifactId: string;
  /** Waits for anybody but a viewer. */
  readonly approvalId: string;
  readonly lockKey: string;
  readonly subscriptionId: string;
}

/** A project with a token of each role and something of everything in it. */
export interface Tenant {
  readonly objects: Objects;
  readonly tokens: Readonly<Record<Role, string>>;
}

let count = 0;

/** Fills a project, which is made first where it is not there. The session in it belongs to the token of this role. */
export async function createTenant(
  { client: admin, httpUrl }: Daemon,
  project: string,
  { worker = 'agent' }: { worker?: Role } = {},
): Promise<Tenant> {
  const isThere = (await admin.project.list()).projects.some(({ name }) => name === project);
  if (!isThere) await admin.project.create({ name: project });
  const made = await Promise.all(
    roles.map(async (role) => [role, await admin.token.create({ name: `${role} of ${project}`, role, project })] as const),
  );
  const tokens = Object.fromEntries(made.map(([role, { token }]) => [role, token])) as Record<Role, string>;
  const spare = await admin.token.create({ name: 'to be revoked', role: 'viewer', project });
  const client = createClient(callOverHttp({ url: httpUrl, token: tokens.admin }));

  const mark = `${project}-${(count += 1)}`;
  const { definition } = await client.workflow.get({ name: 'software-delivery' });
  const start = { tasksMin: 0, approvals: [{ name: 'start', roles: ['agent', 'operator', 'admin'] satisfies Role[] }] };
  const phases = definition.phases.map((phase) => (phase.name === 'BACKLOG' ? { ...phase, gate: start } : phase));
  await client.workflow.put({ definition: { ...definition, phases, name: `workflow-of-${mark}` } });
  const asking = await client.ticket.create({ title: 'Something to approve', workflow: { name: `workflow-of-${mark}` } });
  await client.gate.validate({ ticketId: asking.id });
  const waiting = await client.approval.list({ ticketId: asking.id });
  const ticket = await client.ticket.create({ title: 'Something of everything', workflow: { name: `workflow-of-${mark}` } });
  const agentName = `agent-of-${mark}`;
  const own = { url: httpUrl, token: tokens[worker] };
  const session = await createClient(callOverHttp(own)).agent.register({ name: agentName, capabilities: [mark], capacity: 10 });
  const work = createClient(callOverHttp({ ...own, sessionToken: session.resumeToken }));

  await client.task.submit({ ticketId: ticket.id, tasks: Array.from({ length: 4 }, () => ({ type: mark })) });
  const { claims } = await work.task.claim({ max: 4 });
  const [running, failing, released, cancelled] = claims.map(({ taskId }) => taskId);
  await client.task.cancel({ taskId: cancelled! });
  const ready = await client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'nobody-does-this' }] });
  const artifact = await client.artifact.put({ ticketId: ticket.id, artifact: { type: 'report', content: { of: mark } } });
  await work.context.note({ ticketId: ticket.id, item: { kind: 'fact', text: `It belongs to ${mark}.` } });
  await client.gate.validate({ ticketId: ticket.id });
  const lockKey = `place:${mark}`;
  await work.lock.acquire({ keys: [{ key: lockKey }], ttlMs: 3_600_000 });
  return {
    tokens,
    objects: {
      project,
      tokenId: spare.id,
      workflow: `workflow-of-${mark}`,
      ticketId: ticket.id,
      runningId: running!,
      failingId: failing!,
      releasedId: released!,
      readyId: ready.tasks[0]!.id,
      cancelledId: cancelled!,
      agentName,
      agentId: session.agentId,
      sessionToken: session.resumeToken,
      artifactId: artifact.id,
      approvalId: waiting.approvals[0]!.id,
      lockKey,
      subscriptionId: crypto.randomUUID(),
    },
  };
}

/** Objects that are nowhere, of the same shape. */
export function imagineObjects(): Objects {
  const mark = crypto.randomUUID().slice(0, 8);
  const id = () => crypto.randomUUID();
  return {
    project: `project-${mark}`,
    tokenId: id(),
    workflow: `workflow-${mark}`,
    ticketId: id(),
    runningId: id(),
    failingId: id(),
    releasedId: id(),
    readyId: id(),
    cancelledId: id(),
    agentName: `agent-${mark}`,
    agentId: id(),
    sessionToken: id(),
    artifactId: id(),
    approvalId: id(),
    lockKey: `place:${mark}`,
    subscriptionId: id(),
  };
}

export interface RawCall {
  readonly method: MethodName;
  readonly params: unknown;
  readonly token: string;
  readonly sessionToken?: string | undefined;
}

/** The answer to a call over HTTP as it came, with its status. */
export async function callRaw({ httpUrl }: Pick<Daemon, 'httpUrl'>, { method, params, token, sessionToken }: RawCall): Promise<string> {
  const response = await fetch(`${httpUrl}/rpc`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(sessionToken !== undefined && { 'baton-session': sessionToken }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return `${response.status} ${await response.text()}`;
}
