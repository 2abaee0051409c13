import type { Lock } from '@baton/protocol';
import { printList, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton locks`: what is held and who waits. */
export async function locks(shell: Shell, options: ReadOptions): Promise<number> {
  const { locks: list } = await ask(await findTarget(options, shell.env), (client) => client.lock.list({ limit: 1_000 }));
  return printList(shell, options, {
    list,
    head: ['KEY', 'PLACES', 'FENCE', 'HELD BY', 'WAITING'],
    row: ({ key, fence, holders, waiters, places = 1 }) => [
      key,
      `${countUsed(holders)}/${places}`,
      fence,
      holders.map(({ agentName, mode, places: held }) => `${agentName} (${mode}${held === undefined ? '' : ` ×${held}`})`).join(', '),
      waiters.map(({ agentName, taskId, mode }) => `${agentName ?? taskId ?? 'someone'} (${mode})`).join(', '),
    ],
    none: 'No lock is held.',
  });
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
