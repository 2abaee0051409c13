import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/leaks.ts'],
    execArgv: ['--conditions=source'],
    // Of two cores two files leave a fifth idle, since many wait for a lease or a process. More than three only make every wait longer.
    maxWorkers: 3,
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
