import type { Result } from '@baton/protocol';
import { expect } from 'vitest';
import { answerOf, contestOf, kindOf, side } from '../contest.ts';
import type { Contest } from '../explorer.ts';
import type { World } from '../world.ts';

type Submitted = Result<'task/submit'>;
const stateOf = async (world: World, id: string) =>
  (await world.rows('select state, pending_dependencies as pending from tasks where id = $1', [id]))[0];

/** A task that runs, and the submission of another that depends on it. */
async function runFirst(world: World) {
  const worker = await world.createWorker();
  const { type } = worker;
  const ticketId = await world.createTicket();
  const { tasks } = await world.c.client.task.submit({ ticketId, tasks: [{ type, ref: 'first', maxAttempts: 1 }] });
  await worker.at(world.c).task.claim({});
  const addDependent = () => world.a.client.task.submit({ ticketId, tasks: [{ type, dependsOn: ['first'] }] });
  return { worker, taskId: tasks[0]!.id, addDependent };
}

/** D1 a task that is made dependent on another while that completes is ready in the end, in every interleaving. */
export const dependOnCompleting = (world: World): Contest =>
  contestOf(world, async () => {
    const { worker, taskId, addDependent } = await runFirst(world);
    return {
      sides: [
        side('submit', world.a, addDependent),
        side('complete', world.b, () => worker.at(world.b).task.complete({ taskId, attempt: 1 })),
      ],
      async check({ submit, complete }) {
        expect(kindOf(complete)).toBe('ok');
        const { tasks } = answerOf<Submitted>(submit) as Submitted;
        expect(await stateOf(world, tasks[0]!.id)).toEqual({ state: 'ready', pending: 0 });
      },
    };
  });

/** D7 a task that is made dependent on another while that fails is skipped, in every interleaving. */
export const dependOnFailing = (world: World): Contest =>
  contestOf(world, async () => {
    const { worker, taskId, addDependent } = await runFirst(world);
    const error = { message: 'It cannot be done.' };
    return {
      sides: [
        side('submit', world.a, addDependent),
        side('fail', world.b, () => worker.at(world.b).task.fail({ taskId, attempt: 1, permanent: true, error })),
      ],
      async check({ submit, fail }) {
        expect(kindOf(fail)).toBe('ok');
        const { tasks } = answerOf<Submitted>(submit) as Submitted;
        expect(await stateOf(world, tasks[0]!.id)).toMatchObject({ state: 'skipped' });
      },
    };
  });

/** D6 two submissions that each depend on what the other brings make no cycle, in every interleaving. */
export const dependOnEachOther = (world: World): Contest =>
  contestOf(world, async () => {
    const { type } = await world.createWorker();
    const ticketId = await world.createTicket();
    return {
      sides: [
        side('x', world.a, () => world.a.client.task.submit({ ticketId, tasks: [{ type, ref: 'x', dependsOn: ['y'] }] })),
        side('y', world.b, () => world.b.client.task.submit({ ticketId, tasks: [{ type, ref: 'y', dependsOn: ['x'] }] })),
      ],
      async check({ x, y }) {
        expect([kindOf(x), kindOf(y)]).toEqual(['dependency_unknown', 'dependency_unknown']);
        expect(await world.rows('select id from tasks where ticket_id = $1', [ticketId])).toEqual([]);
      },
    };
  });
