import type { Result } from '@baton/protocol';
import { expect } from 'vitest';
import { answerOf, contestOf, side } from '../contest.ts';
import type { Contest } from '../explorer.ts';
import type { World } from '../world.ts';

type Claims = Result<'task/claim'>;

/** Of two agents that claim one task at two coordinators exactly one gets it, in every interleaving. */
export const claimOneTask = (world: World): Contest =>
  contestOf(world, async () => {
    const one = await world.createWorker();
    const { type } = one;
    const two = await world.createWorker(type);
    const [taskId] = await world.submit({ type });
    return {
      sides: [side('one', world.a, () => one.at(world.a).task.claim({})), side('two', world.b, () => two.at(world.b).task.claim({}))],
      async check({ one, two }) {
        const claims = [one, two].flatMap((outcome) => answerOf<Claims>(outcome) as Claims).flatMap(({ claims }) => claims);
        expect(claims).toMatchObject([{ taskId, attempt: 1 }]);
      },
    };
  });

/** Two tasks that declare one lock are never handed out at the same time, in every interleaving. */
export const claimTwoTasksOfOneLock = (world: World): Contest =>
  contestOf(world, async () => {
    const one = await world.createWorker();
    const { type } = one;
    const two = await world.createWorker(type);
    const locks = [{ key: `test:${crypto.randomUUID()}` }];
    const ids = await world.submit({ type, locks }, { type, locks });
    return {
      sides: [side('one', world.a, () => one.at(world.a).task.claim({})), side('two', world.b, () => two.at(world.b).task.claim({}))],
      async check({ one, two }) {
        const claims = [one, two].flatMap((outcome) => answerOf<Claims>(outcome) as Claims).flatMap(({ claims }) => claims);
        expect(claims).toHaveLength(1);
        const states = await world.rows('select state, count(*)::int as n from tasks where id = any($1) group by state order by state', [
          ids,
        ]);
        expect(states).toEqual([
          { state: 'ready', n: 1 },
          { state: 'running', n: 1 },
        ]);
      },
    };
  });
