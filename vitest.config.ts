import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Where the tests are that take a minute. Begun last, one of them would run alone while the other workers have nothing left. */
const longest = ['test/fuzz/', 'test/scenarios/run', 'test/scenarios/', 'test/history/', 'test/interleavings/', 'test/model/'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = longest.findIndex((place) => moduleId.includes(`/${place}`));
      return rank === -1 ? longest.length : rank;
    };
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/leaks.ts'],
    execArgv: ['--conditions=source'],
    // Half of what a small file costs is loading the coordinator: a worker loads it once for all its files. Open handles that one leaves
    // to the next `leaks.ts` finds; timers, mocks, stubbed variables and settings of properties are put back.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    // Of two cores two files leave a fifth idle, since many wait for a lease or a process. More than three only make every wait longer.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['{sdk,coordinator,plugins,test}/**/*.test.ts'],
        },
      },
      {
        // What one session can show is shown on the embedded store as well; races need a real PostgreSQL.
        extends: true,
        test: {
          name: 'embedded',
          include: ['test/acceptance/{history,gates,context,scheduling,locks,lock-kinds,workers}.test.ts'],
          env: { BATON_TEST_STORE: 'embedded' },
        },
      },
    ],
  },
});
