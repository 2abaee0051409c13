import fc from 'fast-check';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lockHistories } from '../model/lock-commands.ts';
import { readModelSettings } from '../model/settings.ts';
import { taskHistories } from '../model/task-commands.ts';
import { type Pair, spawnPair } from '../support/pair.ts';
import { type BugName, type SeededBug, seededBugs } from './bugs.ts';
import { checkHistory, describeFindings, type Finding } from './check-history.ts';
import { hastyEnvironment, useGently } from './hammer.ts';

const preload = pathToFileURL(join(import.meta.dirname, 'seed-bug.ts')).href;

/** Many times what any of them needs: the first history that shows the bug ends the search. */
const limits = { histories: 300, rounds: 20 };

/** As the tests of the models have it: nothing ends by time but what they let end. */
const quietEnvironment = { BATON_SWEEP_MS: '50', BATON_LEASE_MS: '600000', BATON_HEARTBEAT_MS: '200000' };

/** What a model has against the build; undefined where it finds nothing. */
async function askModel(histories: (pair: Pair) => fc.IAsyncProperty<unknown>, pair: Pair): Promise<string | undefined> {
  const { seed } = readModelSettings();
  const { failed, errorInstance } = await fc.check(histories(pair), { seed, numRuns: limits.histories, endOnFailure: true });
  return failed ? String(errorInstance) : undefined;
}

/** What the checker has against the build by these rules, in rounds of work without any faults from outside. */
async function askChecker(rules: readonly Finding['rule'][], pair: Pair): Promise<string | undefined> {
  for (let round = 0; round < limits.rounds; round += 1) {
    const history = await useGently(pair, { agents: 8, graphsMax: 40 }, 4_000);
    const findings = checkHistory(history).filter(({ rule }) => rules.includes(rule));
    if (findings.length > 0) return describeFindings(findings);
  }
  return undefined;
}

const isSlow = ({ isSlow = false }: SeededBug): boolean => isSlow;

function search({ found }: SeededBug, pair: Pair): Promise<string | undefined> {
  if (found === 'task model') return askModel(taskHistories, pair);
  if (found === 'lock model') return askModel(lockHistories, pair);
  return askChecker(found, pair);
}

const isSoak = process.env['BATON_SOAK'] === '1';
const names = (Object.keys(seededBugs) as BugName[]).filter((name) => isSoak || !isSlow(seededBugs[name]));

describe('the checker catches:', () => {
  test.each(names)(
    '%s',
    async (name) => {
      const bug = seededBugs[name];
      const pace = typeof bug.found === 'string' ? quietEnvironment : hastyEnvironment;
      await using pair = await spawnPair({ ...pace, NODE_OPTIONS: `--import=${preload}`, BATON_SEED_BUG: name });

      const found = await search(bug, pair);

      expect(found).toBeDefined();
    },
    300_000,
  );
});
