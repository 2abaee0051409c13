import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimOneTask } from './contests/claim-claim.ts';
import { completeTwoParents } from './contests/two-parents.ts';
import { dependOnCompleting } from './contests/add-dependency.ts';
import { acquireTwice } from './contests/locks.ts';
import { cancelWhileCompleting } from './contests/cancel-complete.ts';
import { completeWhileExpiring, drainWhileClaiming } from './contests/sessions.ts';
import { BadInterleaving, type Contest, explore } from './explorer.ts';
import { exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

interface SeededBug {
  /** Which parts of which statements are left out, or are something else. */
  readonly mistakes: readonly { readonly statement: RegExp; readonly fragment: RegExp; readonly instead?: string }[];
  readonly contest: (world: World) => Contest;
}

const visits = { statement: /from phase_visits/, fragment: /for no key update( of \w+)?/ };
const tasks = { statement: /\bfrom tasks\b.*order by t\.id for (no key )?update/s, fragment: /for (no key )?update/ };

/**
 * What somebody could forget, by what it leads to. Each is right wherever one thing happens after the other. Who ends a task
 * holds its visit and its task, and who ends a session holds the visits of what it runs and the session: to forget one of the two
 * does no harm.
 */
const bugs: Readonly<Record<string, SeededBug>> = {
  'a claim does not hold the tasks that it looks at': {
    mistakes: [{ statement: /\bfrom tasks\b/, fragment: /for update( of \w+)? skip locked/g }],
    contest: claimOneTask,
  },
  'an acquisition does not hold the rows of its keys': {
    mistakes: [{ statement: /from lock_keys/, fragment: /for update/ }],
    contest: acquireTwice,
  },
  'who ends a task holds neither its visit nor the task': { mistakes: [visits, tasks], contest: cancelWhileCompleting },
  'a completion holds neither its visit nor its session': {
    mistakes: [visits, { statement: /from sessions/, fragment: /for key share/ }],
    contest: completeWhileExpiring,
  },
  'readiness is computed by counting': {
    mistakes: [
      visits,
      tasks,
      {
        statement: /t\.pending_dependencies - done\.n/,
        fragment: /t\.pending_dependencies - done\.n/g,
        instead: '(select count(*)::int from task_dependencies o where o.task_id = t.id and not o.settled) - done.n',
      },
    ],
    contest: completeTwoParents,
  },
  'a submission holds neither the visit nor what it depends on': { mistakes: [visits, tasks], contest: dependOnCompleting },
  'a drain does not wait for the claim under way': {
    mistakes: [{ statement: /from sessions/, fragment: /for update( of \w+)?/ }],
    contest: drainWhileClaiming,
  },
};

test.each(Object.entries(bugs))(
  'the explorer finds it when %s',
  async (_, { mistakes, contest }) => {
    const planted = new Set<unknown>();
    const plant = (text: string) =>
      mistakes.reduce((changed, mistake) => {
        const { statement, fragment, instead = '' } = mistake;
        const wrong = statement.test(changed) ? changed.replace(fragment, instead) : changed;
        if (wrong !== changed) planted.add(mistake);
        return wrong;
      }, text);
    const { a, b } = world;
    for (const { gate } of [a, b]) gate.rewrite(plant);

    const found = await explore(world.stage, contest(world)).catch((error: unknown) => error);
    for (const { gate } of [a, b]) gate.rewrite((text) => text);

    expect(planted.size).toBe(mistakes.length);
    expect(found).toBeInstanceOf(BadInterleaving);
  },
  exploreMs,
);
