import type { FuzzSettings } from './fuzz-method.ts';

/** Always the same cases in the tests, so that they fail for what was changed; others by `pnpm fuzz --seed`. */
const usual: FuzzSettings = { seed: 20_261_123, cases: 300 };

export const settings: FuzzSettings = {
  seed: Number(process.env['BATON_FUZZ_SEED'] ?? usual.seed),
  cases: Number(process.env['BATON_FUZZ_CASES'] ?? usual.cases),
};
