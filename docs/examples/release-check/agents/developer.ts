/** Changes the project: plans the work as tasks, does them, and mends what tests have found. */
import { defineAgent, defineTask } from '@baton/sdk';
import { z } from 'zod';
import { workItem } from './architect.ts';
import { improveModule } from './editing/improve-module.ts';
import { completeManifest } from './editing/manifest-task.ts';
import { count } from './project/markdown.ts';
import { fileLock, type NewTask, refFor, spawnOnce, treeLock } from './project/workspace.ts';
import { repairDefect } from './repair/repair-defect.ts';

const planWork = defineTask({
  type: 'plan-work',
  input: z.object({ work: z.array(workItem), entry: z.string().nullable() }),
  output: z.object({ tasks: z.number() }),
  inline: true,
  async run({ work, entry }, ctx) {
    // Those that share a file go first: they take turns, and the others fill the gaps.
    const order = work.toSorted((a, b) => Number(b.publish.length > 0) - Number(a.publish.length > 0));
    const improvements = order.map((item): NewTask => ({
      ref: refFor('module', item.path),
      type: 'improve-module',
      title: `Improve ${item.path}`,
      input: { path: item.path, document: item.document, publish: item.publish, entry },
      dependsOn: item.dependsOn.map((path) => refFor('module', path)),
      // The coordinator hands a task out once it has all of its locks: nobody waits for one while holding another.
      locks: [
        { key: fileLock(item.path) },
        ...(item.publish.length > 0 && entry !== null ? [{ key: fileLock(entry) }] : []),
        { key: treeLock, mode: 'shared' },
      ],
    }));
    const tasks: NewTask[] = [
      ...improvements,
      {
        ref: 'manifest',
        type: 'complete-manifest',
        title: 'Complete package.json',
        locks: [{ key: fileLock('package.json') }, { key: treeLock, mode: 'shared' }],
      },
      // What measures the whole comes after all that changes a part, and lets nobody change anything meanwhile.
      {
        type: 'measure-coverage',
        title: 'Run the tests with coverage',
        dependsOn: [...work.map(({ path }) => refFor('module', path)), 'manifest'],
        locks: [{ key: treeLock }],
        priority: 'HIGH',
      },
    ];
    await spawnOnce(ctx, tasks);
    ctx.summary(`${count(tasks.length, 'task')} from the design: one for each module, one for package.json, one that measures.`);
    return { tasks: tasks.length };
  },
});

export default defineAgent({
  name: 'developer',
  capabilities: ['typescript'],
  capacity: 3,
  tasks: [planWork, improveModule, completeManifest, repairDefect],
});
