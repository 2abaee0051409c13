import { type Agent, type Client, CoordinatorError } from '@baton/protocol';
import { z } from 'zod';
import type { ReadOptions } from './list.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** What somebody may decide about an agent. */
export const decidedStates = ['active', 'maintenance', 'quarantined', 'terminated'] as const;

export interface SetStateOptions extends ReadOptions {
  readonly reason: string;
}

/** `baton agents set-state`: maintenance, quarantine, active again, or the end. */
export async function setAgentState(
  shell: Shell,
  { agent, state }: { readonly agent: string; readonly state: (typeof decidedStates)[number] },
  { reason, json = false, ...options }: SetStateOptions,
): Promise<number> {
  const decided = await ask(await findTarget(options, shell.env), async (client) =>
    whileItIs(agent, async () => client.agent.setState({ agentId: await findAgentId(client, agent), state, reason })),
  );
  printLine(shell.stdout, json ? JSON.stringify(decided) : describe(decided));
  return 0;
}

export interface SetAvailabilityOptions extends ReadOptions {
  readonly reason?: string;
}

/** `baton agents set-availability`: whether it is given new tasks. */
export async function setAgentAvailability(
  shell: Shell,
  { agent, available }: { readonly agent: string; readonly available: boolean },
  { reason, json = false, ...options }: SetAvailabilityOptions,
): Promise<number> {
  const changed = await ask(await findTarget(options, shell.env), async (client) =>
    whileItIs(agent, async () =>
      client.agent.setAvailability({ agentId: await findAgentId(client, agent), available, ...(reason !== undefined && { reason }) }),
    ),
  );
  printLine(shell.stdout, json ? JSON.stringify(changed) : describe(changed));
  return 0;
}

/** What the coordinator says to an agent that was terminated is of no use to who decides about it. */
async function whileItIs<T>(agent: string, decide: () => Promise<T>): Promise<T> {
  try {
    return await decide();
  } catch (error) {
    if (!(error instanceof CoordinatorError) || error.kind !== 'agent_terminated') throw error;
    const { agentName = agent, reason } = error.data;
    const because = typeof reason === 'string' ? ` (${reason})` : '';
    throw new CommandError(`${String(agentName)} was terminated${because}, which is for good. Start the agent under another name.`, {
      cause: error,
    });
  }
}

function describe({ name, status, running, state }: Agent): string {
  if (state === 'terminated') return `${name} is terminated; nobody registers under this name again.`;
  const rest = running === 0 ? 'runs nothing' : `still runs ${running === 1 ? 'one task' : `${running} tasks`}`;
  return `${name} is ${status} and ${rest}.`;
}

/** By its id or its name. */
async function findAgentId(client: Client, agent: string): Promise<string> {
  if (z.uuid().safeParse(agent).success) return agent;
  let after: string | undefined;
  do {
    const { agents, next } = await client.agent.list({ all: true, limit: 1_000, ...(after !== undefined && { after }) });
    const found = agents.find(({ name }) => name === agent);
    if (found !== undefined) return found.id;
    after = next;
  } while (after !== undefined);
  throw new CommandError(`There is no agent ${agent}. \`baton agents --all\` lists all of them.`);
}
