import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Bench } from '../test/bench/harness/bench.ts';
import { type Recorded, recordedFiles, recordFigures } from '../test/bench/harness/figures.ts';
import { findBenches } from '../test/bench/harness/find-benches.ts';
import { describeMachine } from '../test/bench/harness/machine.ts';
import { openPlace } from '../test/bench/harness/place.ts';
import type { Rounds } from '../test/bench/harness/measure.ts';
import { type BenchCommand, readCommand } from '../test/bench/harness/read-command.ts';
import { runBench } from '../test/bench/harness/run-bench.ts';
import { figuresText, machineText, reportText } from '../test/bench/harness/tables.ts';
import { openWorkers } from '../test/bench/harness/workers.ts';
import { startPostgres } from '../test/support/postgres.ts';

// `pnpm bench NAME…` measures, `pnpm bench all` measures everything, `pnpm bench` says what there is.
// An interruption ends this process in order, and what it has started with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const benches = await findBenches();
const command = readCommand(process.argv.slice(2), benches);

/** What a server does that nobody has told to be fast: a commit is on the disk when it is acknowledged. */
const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '128MB' };

if ('mistake' in command) {
  console.error(`${command.mistake}\n\n${usage()}`);
  process.exitCode = 2;
} else if (command.chosen.length === 0) console.log(usage());
else await measureAll(command);

async function measureAll(wanted: BenchCommand): Promise<void> {
  const server = await startPostgres({ settings: durable });
  const recorded: Recorded[] = [];
  try {
    for (const name of wanted.chosen) recorded.push(await measure(name, wanted, server.url));
  } finally {
    await server.stop();
  }
  if (wanted.json) console.log(JSON.stringify(recorded, undefined, 2));
  if (wanted.record) {
    await recordFigures(recorded, figuresText);
    execFileSync('oxfmt', recordedFiles);
  }
}

async function measure(name: string, { runs, sizes: given, json, profile }: BenchCommand, serverUrl: string): Promise<Recorded> {
  const bench = benches.get(name) as Bench;
  const folder = profile === undefined ? undefined : resolve(profile);
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  await using place = await openPlace({ serverUrl, environment: bench.environment, profileFolder: folder });
  const machine = await describeMachine(place.hand);
  const sizes = Object.fromEntries(Object.entries(bench.settings).map(([setting, { standard }]) => [setting, given[setting] ?? standard]));
  await using workers = openWorkers();
  const rounds: Rounds = {
    count: runs,
    warmUpShare: 0.05,
    // What one variant has written is not to be on its way to the disk while the next is measured.
    settle: async () => void (await place.hand.query('checkpoint')),
    onProgress: (line) => console.error(`${name}: ${line}`),
  };
  const report = await runBench(bench, { place, workers, rounds, sizes });
  if (!json) console.log(`\n# ${name}\n\n${bench.summary}\n\n${machineText(machine)}\n\n${reportText(report, '##')}\n`);
  return { name, summary: bench.summary, recordedOn: new Date().toISOString().slice(0, 10), rounds: rounds.count, sizes, machine, report };
}

function usage(): string {
  const lines = [...benches].flatMap(([name, { summary, settings }]) => [
    `  ${name}`,
    `      ${summary}`,
    ...Object.entries(settings).map(([setting, { about, standard }]) => `      --${setting} ${standard}: ${about}`),
  ]);
  return [
    'pnpm bench NAME… | all [--runs 5] [--json] [--record] [--profile FOLDER]',
    '',
    ...lines,
    '',
    '--record writes docs/performance; --profile leaves a profile of the coordinator in the folder.',
  ].join('\n');
}
