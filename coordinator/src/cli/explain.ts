import { type Client, CoordinatorError, type Explanation } from '@baton/protocol';
import { z } from 'zod';
import { collectPages, type ReadOptions } from './list.ts';
import { isBeginning } from './parse-ids.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { formatTable } from './table.ts';
import { ask, findTarget } from './target.ts';

/** `baton explain`: why a task does not run, or why an agent is given nothing. */
export async function explain(shell: Shell, subject: string, { json = false, ...options }: ReadOptions): Promise<number> {
  const explanation = await ask(await findTarget(options, shell.env), (client) => find(client, subject));
  printLine(shell.stdout, json ? JSON.stringify(explanation) : toText(explanation));
  return 0;
}

/** An id is a task's or an agent's; anything else is the name of an agent. */
async function find(client: Client, subject: string): Promise<Explanation> {
  if (!z.uuid().safeParse(subject).success) return client.scheduler.explain({ agentId: await findAgentId(client, subject) });
  try {
    return await client.scheduler.explain({ taskId: subject });
  } catch (error) {
    if (!(error instanceof CoordinatorError) || error.kind !== 'task_not_found') throw error;
  }
  try {
    return await client.scheduler.explain({ agentId: subject });
  } catch (error) {
    if (!(error instanceof CoordinatorError) || error.kind !== 'agent_not_found') throw error;
    throw new CommandError(
      `There is no task and no agent ${subject}. \`baton tasks\` and \`baton agents --all\` list them with their ids.`,
    );
  }
}

async function findAgentId(client: Client, name: string): Promise<string> {
  const agents = await collectPages(async (page) => {
    const { agents: items, next } = await client.agent.list({ ...page, all: true });
    return { items, next };
  });
  const found = agents.find((agent) => agent.name === name);
  if (found === undefined)
    throw new CommandError(
      isBeginning(name)
        ? `There is no agent ${name}. If it is the beginning of a task's id, give the whole of it, as \`baton tasks\` lists it.`
        : `There is no agent ${name}. \`baton agents --all\` lists all of them; a task is named by its id, as in \`baton tasks\`.`,
    );
  return found.id;
}

interface Row {
  readonly name: string;
  readonly isNext: boolean;
  readonly obstacles: Explanation['obstacles'];
}

function toText({ summary, obstacles, agents, tasks, omitted }: Explanation): string {
  // The first is in the summary.
  const rest = obstacles.slice(1).map(({ message }) => `  ${message}`);
  const rows: Row[] = [
    ...(agents ?? []).map(({ agentName, ...fit }) => ({ ...fit, name: agentName })),
    ...(tasks ?? []).map(({ title, ...fit }) => ({ ...fit, name: title })),
  ];
  // What keeps a task from everyone now may be over when it is anybody's turn.
  const nothing = agents === undefined || obstacles.length === 0 ? 'Nothing.' : 'It could take it then.';
  const cells = rows.map((row) => toCells(row, nothing));
  const table = rows.length === 0 ? [] : ['', formatTable([agents === undefined ? 'TASK' : 'AGENT', 'WHY NOT'], cells)];
  const more =
    omitted === 0
      ? []
      : [
          agents === undefined
            ? '… and more tasks.'
            : `… and ${omitted} ${omitted === 1 ? 'other agent that is' : 'other agents that are'} further from it.`,
        ];
  return [summary, ...rest, ...table, ...more].join('\n');
}

function toCells({ name, isNext, obstacles }: Row, nothing: string): string[] {
  const messages = obstacles.map(({ message }) => message).join(' ');
  return [name, isNext ? 'Nothing: it is next.' : messages || nothing];
}
