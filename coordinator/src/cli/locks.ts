import type { Client, Lock } from '@baton/protocol';
import { formatDuration } from '../duration.ts';
import { printList, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

export interface LocksOptions extends ReadOptions {
  /** Keys with several places too that nobody holds or waits for. */
  readonly all?: boolean;
}

/** `baton locks`: what is held and for what, and who waits, each with how long. */
export async function locks(shell: Shell, { all = false, ...options }: LocksOptions): Promise<number> {
  const { list, titles } = await ask(await findTarget(options, shell.env), async (client) => {
    const { locks: found } = await client.lock.list({ limit: 1_000 });
    const list = all ? found : found.filter(({ holders, waiters }) => holders.length + waiters.length > 0);
    return { list, titles: options.json === true ? new Map<string, string>() : await findTitles(client, list) };
  });
  const nameTask = (taskId: string) => {
    const title = titles.get(taskId);
    return title === undefined ? taskId : `"${title}"`;
  };
  const describeHolder = ({ agentName, taskId, mode, places, heldMs, expiresInMs }: Lock['holders'][number]) =>
    [
      `${agentName} (${mode}${places === undefined ? '' : ` ×${places}`})`,
      ...(taskId === undefined ? [] : [`for ${nameTask(taskId)}`]),
      `since ${formatDuration(heldMs)}`,
      ...(expiresInMs === undefined ? [] : [`ends in ${formatDuration(Math.max(0, expiresInMs))}`]),
    ].join(', ');
  const describeWaiter = ({ agentName, taskId, mode, waitingMs }: Lock['waiters'][number]) =>
    `${agentName ?? (taskId === undefined ? 'someone' : nameTask(taskId))} (${mode}), since ${formatDuration(waitingMs)}`;
  return printList(shell, options, {
    list,
    head: ['KEY', 'PLACES', 'FENCE', 'HELD BY', 'WAITING'],
    row: ({ key, fence, holders, waiters, places = 1 }) => [
      key,
      `${countUsed(holders)}/${places}`,
      fence,
      holders.map(describeHolder).join('\n'),
      waiters.map(describeWaiter).join('\n'),
    ],
    none: 'No lock is held.',
  });
}

/** So many tasks are called by their titles; of more the ids are enough. */
const titlesMax = 100;

async function findTitles(client: Client, list: readonly Lock[]): Promise<Map<string, string>> {
  const ids = new Set(list.flatMap(({ holders, waiters }) => [...holders, ...waiters].flatMap(({ taskId }) => taskId ?? [])));
  const found = await Promise.all([...ids].slice(0, titlesMax).map((taskId) => client.task.get({ taskId })));
  return new Map(found.map(({ id, title }) => [id, title]));
}

/** However many share a key, they leave no place of it to who wants one alone. */
const countUsed = (holders: Lock['holders']): number =>
  holders.some(({ mode }) => mode === 'shared') ? 1 : holders.reduce((sum, { places = 1 }) => sum + places, 0);

export interface DefineLockOptions extends ReadOptions {
  readonly places: number;
}

/** `baton locks define`: how many may hold a key at a time. */
export async function defineLock(shell: Shell, key: string, { places, ...options }: DefineLockOptions): Promise<number> {
  const lock = await ask(await findTarget(options, shell.env), (client) => client.lock.define({ key, places }));
  if (options.json === true) printLine(shell.stdout, JSON.stringify(lock));
  else
    printLine(
      shell.stdout,
      `${lock.key} has ${places} ${places === 1 ? 'place' : 'places'}, of which ${countUsed(lock.holders)} are held.`,
    );
  return 0;
}
