import { type Client, createClient, type MethodName, type Role, roles } from '@baton/protocol';
import { callOverHttp, connect } from '@baton/sdk/connection';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { openRawCaller, type RawCaller } from './raw-caller.ts';
import { isObject } from './schema.ts';
import { openStoredState, type StoredState } from './stored-state.ts';
import { isSymbol, type WorldSymbol } from './valid-params.ts';

/** What the other project's things are called: no answer to anybody else may hold it. */
export const foreignSecret = 'zz-foreign-secret';

type Things = Readonly<Record<WorldSymbol, unknown>>;

/** What is made together. */
type Part = 'agent' | 'work' | 'subscription' | 'token';

/** A daemon with something of everything in it, asked at four levels: viewer, an agent with a session, operator, admin. */
export interface World extends AsyncDisposable {
  readonly stored: StoredState;
  /** Puts real things in the place of what stands for them. */
  resolve(params: unknown): unknown;
  call(level: Role, method: MethodName, params: unknown): ReturnType<RawCaller['call']>;
  /** Makes new things, where the accepted call has used up what there was. */
  refreshAfter(method: MethodName, level: Role): Promise<void>;
}

/** No beat, sweep or poll of the daemon's own may write while it is watched. */
const quiet = { sweepMs: 3_600_000, pollMs: 3_600_000, leaseMs: 7_200_000, heartbeatMs: 2_400_000 };

/** What an accepted call uses up: a thing that others refer to is gone or is another's. */
const usedUp: Readonly<Partial<Record<MethodName, Part>>> = {
  'task/complete': 'work',
  'task/fail': 'work',
  'task/release': 'work',
  'task/cancel': 'work',
  'task/cancelAll': 'work',
  'ticket/transition': 'work',
  'agent/register': 'agent',
  'agent/drain': 'agent',
  'agent/deregister': 'agent',
  'agent/update': 'agent',
  'agent/setAvailability': 'agent',
  'agent/setState': 'agent',
  'event/unsubscribe': 'subscription',
  'token/revoke': 'token',
};

export async function createWorld(): Promise<World> {
  const daemon = await startDaemon({ store: 'postgresql', config: quiet });
  const stored = await openStoredState(daemon.databaseUrl!);
  // Not in the project that is there from the beginning: its admins may see to others.
  await daemon.client.project.create({ name: 'fuzz' });
  const tokens = new Map<Role, string>();
  for (const role of roles) tokens.set(role, (await daemon.client.token.create({ name: `fuzz ${role}`, role, project: 'fuzz' })).token);
  const client = createClient(callOverHttp({ url: daemon.httpUrl, token: tokens.get('admin')! }));
  const foreign = await createForeignThings(daemon);
  const callers = new Map<Role, RawCaller>();
  const makers = createMakers(client, callers);
  const things: Partial<Record<WorldSymbol, unknown>> = { ...foreign };

  async function make(part: Part, level: Role = 'agent'): Promise<void> {
    if (part === 'agent') {
      // Whoever has registered over its connection has a session now.
      for (const role of new Set([level, 'agent'] as const)) {
        await callers.get(role)?.close();
        callers.set(role, await openRawCaller(daemon.url, tokens.get(role)!));
      }
    }
    Object.assign(things, await makers[part]());
    if (part === 'agent') for (const other of ['work', 'subscription'] as const) await make(other);
  }
  for (const role of roles) callers.set(role, await openRawCaller(daemon.url, tokens.get(role)!));
  await make('agent');
  await make('token');

  function resolve(value: unknown): unknown {
    if (isSymbol(value)) return things[value];
    if (Array.isArray(value)) return value.map(resolve);
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolve(member)])) : value;
  }

  return {
    stored,
    resolve,
    call: (level, method, params) => callers.get(level)!.call(method, params),
    async refreshAfter(method, level) {
      const part = usedUp[method];
      if (part !== undefined) await make(part, level);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...callers.values()].map(({ close }) => close()));
      await stored.close();
      await daemon.stop();
    },
  };
}

function createMakers(client: Client, callers: ReadonlyMap<Role, RawCaller>): Readonly<Record<Part, () => Promise<Partial<Things>>>> {
  const asAgent = async <T>(method: MethodName, params: unknown) => {
    const { answer } = await callers.get('agent')!.call(method, params);
    if (answer.error !== undefined) throw new Error(`The world cannot be made: ${method} ${JSON.stringify(answer.error)}`);
    return answer.result as T;
  };
  // Tasks that only this agent takes, so that a claim finds the one that was meant.
  let type = '';
  return {
    async agent() {
      type = `fuzz-${crypto.randomUUID()}`;
      const registration = { name: type, capabilities: [type], capacity: 1_000 };
      const { agentId, resumeToken } = await asAgent<{ agentId: string; resumeToken: string }>('agent/register', registration);
      return { '@agent': agentId, '@resumeToken': resumeToken };
    },
    async work() {
      const { id: ticketId } = await client.ticket.create({ title: 'A ticket' });
      await client.ticket.transition({ ticketId, to: 'REQUIREMENTS' });
      const tasks = [
        { ref: 'given', type, priority: 'CRITICAL' as const },
        { ref: 'waiting', type, dependsOn: ['given'] },
      ];
      const submitted = await client.task.submit({ ticketId, tasks });
      const { claims } = await asAgent<{ claims: { taskId: string; attempt: number }[] }>('task/claim', { max: 1_000, waitMs: 20_000 });
      const claim = claims.find(({ taskId }) => taskId === submitted.tasks[0]!.id);
      const { id: artifactId } = await client.artifact.put({ ticketId, artifact: { type: 'report', content: { a: 1 } } });
      return {
        '@ticket': ticketId,
        '@task': claim!.taskId,
        '@attempt': claim!.attempt,
        '@waitingTask': submitted.tasks[1]!.id,
        '@artifact': artifactId,
      };
    },
    async subscription() {
      const { subscriptionId } = await asAgent<{ subscriptionId: string }>('event/subscribe', {});
      return { '@subscription': subscriptionId };
    },
    async token() {
      const { id } = await client.token.create({ name: 'to be revoked', role: 'viewer' });
      return { '@token': id };
    },
  };
}

/** The same in another project, whose token nobody else has. */
async function createForeignThings({ client, url, httpUrl }: Daemon): Promise<Pick<Things, Extract<WorldSymbol, `@foreign${string}`>>> {
  await client.project.create({ name: 'foreign' });
  const { token } = await client.token.create({ name: foreignSecret, role: 'admin', project: 'foreign' });
  const admin = createClient(callOverHttp({ url: httpUrl, token }));
  await using connection = await connect({ url, token, reconnect: false });
  const { id: ticketId } = await admin.ticket.create({ title: foreignSecret });
  await admin.ticket.transition({ ticketId, to: 'REQUIREMENTS' });
  const { agentId } = await connection.client.agent.register({ name: foreignSecret, capabilities: ['work'] });
  const { tasks } = await admin.task.submit({ ticketId, tasks: [{ type: 'work', title: foreignSecret }] });
  const { id: artifactId } = await admin.artifact.put({
    ticketId,
    artifact: { type: 'report', name: foreignSecret, content: foreignSecret },
  });
  const { id: tokenId } = await admin.token.create({ name: foreignSecret, role: 'viewer' });
  return {
    '@foreignTicket': ticketId,
    '@foreignTask': tasks[0]!.id,
    '@foreignAgent': agentId,
    '@foreignArtifact': artifactId,
    '@foreignToken': tokenId,
  };
}
