import { expect } from 'vitest';
import { contestOf, kindOf, side } from '../contest.ts';
import type { Contest } from '../explorer.ts';
import type { World } from '../world.ts';

/** A child of two parents, both of which run. */
async function claimParents(world: World) {
  const worker = await world.createWorker();
  const { type } = worker;
  const [left, right, child] = await world.submit({ type, ref: 'left' }, { type, ref: 'right' }, { type, dependsOn: ['left', 'right'] });
  await worker.at(world.c).task.claim({ max: 2 });
  return { worker, left: left!, right: right!, child: child! };
}

const stateOf = async (world: World, id: string) =>
  (await world.rows('select state, pending_dependencies as pending from tasks where id = $1', [id]))[0];

/** D5 two parents that complete at once make their child ready, in every interleaving. */
export const completeTwoParents = (world: World): Contest =>
  contestOf(world, async () => {
    const { worker, left, right, child } = await claimParents(world);
    return {
      sides: [
        side('left', world.a, () => worker.at(world.a).task.complete({ taskId: left, attempt: 1 })),
        side('right', world.b, () => worker.at(world.b).task.complete({ taskId: right, attempt: 1 })),
      ],
      async check({ left, right }) {
        expect([kindOf(left), kindOf(right)]).toEqual(['ok', 'ok']);
        expect(await stateOf(world, child)).toEqual({ state: 'ready', pending: 0 });
      },
    };
  });

/** D7 a child of which one parent completes while the other fails is skipped once, in every interleaving. */
export const completeOneParentFailTheOther = (world: World): Contest =>
  contestOf(world, async () => {
    const { worker, left, right, child } = await claimParents(world);
    const error = { message: 'It cannot be done.' };
    return {
      sides: [
        side('complete', world.a, () => worker.at(world.a).task.complete({ taskId: left, attempt: 1 })),
        side('fail', world.b, () => worker.at(world.b).task.fail({ taskId: right, attempt: 1, permanent: true, error })),
      ],
      async check({ complete, fail }) {
        expect([kindOf(complete), kindOf(fail)]).toEqual(['ok', 'ok']);
        expect(await stateOf(world, child)).toMatchObject({ state: 'skipped' });
      },
    };
  });
