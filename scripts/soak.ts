import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// `pnpm soak`: the long forms of the proofs (models, histories, races, interleavings and seeded bugs), again and again with other seeds until
// the time is over. A failure ends it and tells how to have the same again: `pnpm soak --seed 7 --path 3:1 test/model/locks.test.ts`.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    histories: { type: 'string', default: '100' },
    path: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes is a number above 0.');
const endsAt = performance.now() + minutes * 60_000;
/** Each round of the first finds others; every interleaving is looked at in one round as in the next. */
const proofs =
  positionals.length > 0
    ? { always: positionals, once: [] }
    : { always: ['test/model', 'test/history/history.test.ts'], once: ['test/interleavings', 'test/history/seeded-bugs.test.ts'] };
/** How long clients hammer two coordinators in one round. */
const historyMs = 30_000;

/** One round of all proofs, with what it has measured. Answers whether they hold. */
async function runRound(seed: number, isFirst: boolean): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-soak-'));
  const figures = join(folder, 'figures.jsonl');
  const child = spawn('vitest', ['run', '--project', 'all', ...proofs.always, ...(isFirst ? proofs.once : [])], {
    stdio: 'inherit',
    env: {
      ...process.env,
      BATON_SOAK: '1',
      BATON_MODEL_SEED: String(seed),
      BATON_MODEL_RUNS: values.histories,
      BATON_FIGURES_FILE: figures,
      BATON_HISTORY_MS: String(Math.min(historyMs, minutes * 60_000)),
      ...(values.path !== undefined && { BATON_MODEL_PATH: values.path }),
    },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (existsSync(figures)) console.log(readFileSync(figures, 'utf8').trimEnd());
  rmSync(folder, { recursive: true });
  return code === 0;
}

const firstSeed = Number(values.seed ?? Date.now() % 2 ** 31);
let rounds = 0;
let holds = true;
do {
  const seed = firstSeed + rounds;
  console.log(
    `Round ${rounds + 1}: ${values.histories} histories of each model. To have the same again: pnpm soak --minutes 1 --seed ${seed}`,
  );
  holds = await runRound(seed, rounds === 0);
  rounds += 1;
} while (holds && performance.now() < endsAt);
console.log(holds ? `${rounds} rounds from the seed ${firstSeed} on, and nothing was found.` : `Round ${rounds} failed.`);
process.exitCode = holds ? 0 : 1;
