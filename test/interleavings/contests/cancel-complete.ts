import { expect } from 'vitest';
import { contestOf, kindOf, side } from '../contest.ts';
import type { Contest } from '../explorer.ts';
import type { World } from '../world.ts';

/** Q2 a task that is cancelled while it is completed ends in the one way that was acknowledged, in every interleaving. */
export const cancelWhileCompleting = (world: World): Contest =>
  contestOf(world, async () => {
    const worker = await world.createWorker();
    const [taskId, childId] = await world.submit({ type: worker.type, ref: 'parent' }, { type: worker.type, dependsOn: ['parent'] });
    await worker.at(world.c).task.claim({});
    return {
      sides: [
        side('cancel', world.a, () => world.a.client.task.cancel({ taskId: taskId! })),
        side('complete', world.b, () => worker.at(world.b).task.complete({ taskId: taskId!, attempt: 1, output: { done: true } })),
      ],
      async check({ cancel, complete }) {
        const answers = [kindOf(cancel), kindOf(complete)];
        const isCompleted = answers[1] === 'ok';
        expect(answers).toEqual(isCompleted ? ['task_state_refused', 'ok'] : ['ok', 'claim_stale']);
        const states = await world.rows('select state, output from tasks where id = any($1) order by id', [[taskId, childId]]);
        expect(states).toEqual(
          isCompleted
            ? [
                { state: 'completed', output: { done: true } },
                { state: 'ready', output: null },
              ]
            : [
                { state: 'cancelled', output: null },
                { state: 'skipped', output: null },
              ],
        );
      },
    };
  });
