import { afterAll, beforeAll, expect, test } from 'vitest';
import { noteFigures } from '../support/note-figures.ts';
import { type SpawnedPair, spawnPair } from '../support/pair.ts';
import { checkHistory, describeFindings } from './check-history.ts';
import { hammer, hastyEnvironment } from './hammer.ts';
import { pause } from './logged-calls.ts';

/** How long coordinators and clients are disturbed, in ms; longer in a soak. */
const durationMs = Number(process.env['BATON_HISTORY_MS'] ?? 4_000);
const gapMs = 1_000;

let pair: SpawnedPair;
beforeAll(async () => {
  pair = await spawnPair(hastyEnvironment);
});
afterAll(() => pair[Symbol.asyncDispose]());

test(
  'nothing that was promised is broken while coordinators and agents are killed and connections are cut',
  async () => {
    const history = await hammer(pair, {
      processes: 2,
      agents: 6,
      settleMs: 40_000,
      async disturb(clients) {
        const endsAt = performance.now() + durationMs;
        for (let turn = 0; performance.now() < endsAt; turn += 1) {
          await pause(gapMs);
          await pair.killAndRestart(turn % 2 === 0 ? 1 : 0);
          await pause(gapMs);
          await clients[turn % clients.length]!.killAndRestart();
        }
        await pause(gapMs);
      },
    });

    const findings = checkHistory(history);
    noteFigures('history', { operations: history.operations.length, tasks: history.final.tasks.length, findings: findings.length });
    expect(describeFindings(findings)).toBe('');
  },
  600_000 + 4 * durationMs,
);
