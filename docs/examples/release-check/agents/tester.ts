/** Runs tests, writes those that are missing, and says what was measured. */
import { defineAgent } from '@baton/sdk';
import { measureCoverage } from './testing/measure-coverage.ts';
import { planTests } from './testing/plan-tests.ts';
import { runAcceptance } from './testing/run-acceptance.ts';
import { tryPackage } from './testing/try-package.ts';
import { writeTests } from './testing/write-tests.ts';

export default defineAgent({
  name: 'tester',
  capabilities: ['testing'],
  capacity: 3,
  tasks: [measureCoverage, planTests, writeTests, runAcceptance, tryPackage],
});
