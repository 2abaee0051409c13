import type { Claim, NotificationName, NotificationParams, ParamsInput, Result } from '@baton/protocol';
import type { Connection } from '@baton/sdk/connection';
import { patienceMs } from './eventually.ts';
import { createInbox } from './inbox.ts';

export interface TestAgentOptions {
  readonly name?: string;
  readonly capabilities?: readonly string[];
  readonly capacity?: number;
  readonly tags?: readonly string[];
  readonly resumeToken?: string;
}

/** An agent that does nothing by itself: each of its calls is made by the test. */
export interface TestAgent {
  readonly name: string;
  readonly session: Result<'agent/register'>;
  readonly connection: Connection;
  readonly client: Connection['client'];
  claim(options?: ParamsInput<'task/claim'>): Promise<readonly Claim[]>;
  /** The one task there is to claim, now or as soon as there is one. */
  claimOne(): Promise<Claim>;
  complete(claim: Claim, result?: Omit<ParamsInput<'task/complete'>, 'taskId' | 'attempt'>): Promise<Result<'task/complete'>>;
  fail(claim: Claim, options?: { permanent?: boolean; message?: string }): Promise<Result<'task/fail'>>;
  /** The first notification of this name, whether it has come already or is still to come. */
  told<N extends NotificationName>(name: N, fits?: (params: NotificationParams<N>) => boolean): Promise<NotificationParams<N>>;
  /** Goes without a word, as a crash does. */
  disconnect(): Promise<void>;
}

const observed = ['task/revoked', 'agent/sessionEnded', 'lock/lost'] as const satisfies readonly NotificationName[];

interface Told {
  readonly name: NotificationName;
  readonly params: unknown;
}

/** Registers an agent on a connection of its own. */
export async function registerTestAgent(connection: Connection, options: TestAgentOptions = {}): Promise<TestAgent> {
  const { name = `agent-${crypto.randomUUID().slice(0, 8)}`, capabilities = ['work'], capacity = 10, tags = [], resumeToken } = options;
  const { client } = connection;

  const inbox = createInbox<Told>(({ name }) => name);
  for (const name of observed) connection.onNotification(name, (params) => inbox.put({ name, params }));
  const session = await client.agent.register({
    name,
    capabilities: [...capabilities],
    capacity,
    tags: [...tags],
    ...(resumeToken !== undefined && { resumeToken }),
  });

  const claim = async (options: ParamsInput<'task/claim'> = {}) => (await client.task.claim(options)).claims;
  return {
    name,
    session,
    connection,
    client,
    claim,
    async claimOne() {
      const [first] = await claim({ max: 1, waitMs: patienceMs });
      if (first === undefined) throw new Error(`${name} found nothing to claim.`);
      return first;
    },
    complete: ({ taskId, attempt }, result = {}) => client.task.complete({ taskId, attempt, ...result }),
    fail: ({ taskId, attempt }, { permanent = false, message = 'It did not work.' } = {}) =>
      client.task.fail({ taskId, attempt, permanent, error: { message } }),
    async told(name, fits = () => true) {
      const found = await inbox.waitFor((told) => told.name === name && fits(told.params as never), `the notification ${name}`);
      return found.params as never;
    },
    disconnect: () => connection.close(),
  };
}
