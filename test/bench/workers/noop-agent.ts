import { defineAgent, defineTask } from '@baton/sdk';
import { nowMs } from '../harness/clock.ts';

const run = () => ({ enteredAt: nowMs() });

// The agent of `sdk-agent.ts`: tasks that say when they were begun and do nothing else.
export default defineAgent({
  name: 'noop',
  tasks: [defineTask({ type: 'bench-inline', inline: true, run }), defineTask({ type: 'bench-threaded', run })],
});
