import type { EntityManager } from '../db/orm.ts';
import type { Log } from '../log.ts';
import { listAcceptedIds } from '../token/token.store.ts';
import { createLoop, type Loop } from './loop.ts';

export interface TokenWatcherParts {
  readonly em: EntityManager;
  /** Those who are served here, by the token that let them in. */
  readonly holders: { tokenIds(): string[]; end(tokenIds: readonly string[]): void };
  readonly tokenCheckMs: number;
  readonly log: Log;
}

/** Ends what tokens let in that have been revoked or have expired since, by whichever coordinator. One statement a run. */
export function createTokenWatcher({ em, holders, tokenCheckMs, log }: TokenWatcherParts): Loop {
  return createLoop({
    name: 'token watcher',
    intervalMs: tokenCheckMs,
    log,
    async run() {
      const held = holders.tokenIds();
      if (held.length === 0) return;
      const accepted = new Set(await listAcceptedIds(em.fork(), held));
      const over = held.filter((id) => !accepted.has(id));
      holders.end(over);
      if (over.length > 0) log.info({ tokenIds: over }, 'tokens are accepted no more; their connections were closed');
    },
  });
}
