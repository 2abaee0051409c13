import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

// `pnpm fuzz`: the tests of `test/fuzz` with more cases, and others each time. A failure tells its seed and its case.
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cases: { type: 'string', default: '3000' },
    method: { type: 'string' },
  },
});
const seed = values.seed ?? String(Date.now() % 2 ** 31);
console.log(`${values.cases} cases for each method. To have the same again: pnpm fuzz --seed ${seed} --cases ${values.cases}`);

const only = values.method === undefined ? [] : ['--testNamePattern', `${values.method} `];
const child = spawn('vitest', ['run', '--project', 'all', 'test/fuzz', ...only], {
  stdio: 'inherit',
  env: { ...process.env, BATON_FUZZ_SEED: seed, BATON_FUZZ_CASES: values.cases },
});
const [code] = (await once(child, 'exit')) as [number | null];
process.exitCode = code ?? 1;
