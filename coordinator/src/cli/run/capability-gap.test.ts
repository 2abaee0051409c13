import { expect, test } from 'vitest';
import { describeGap, findGaps, isStuck, type Look } from './capability-gap.ts';

const coder: Look['agents'][number] = { name: 'coder', capabilities: ['code', 'typescript'], health: 'healthy', state: 'active' };
const task = (state: Look['tasks'][number]['state'], ...capabilities: string[]) => ({
  id: `${state}:${capabilities.join()}`,
  title: 'Do it',
  state,
  capabilities,
});

test('a ready task that nobody can do is a gap, which tells what is missing and who is there', () => {
  const [gap] = findGaps({ tasks: [task('ready', 'python', 'typescript'), task('ready', 'code')], agents: [coder] });

  expect(gap).toMatchObject({ missing: ['python'], offeredBy: ['coder (code, typescript)'] });
  expect(describeGap(gap!)).toBe('«Do it» waits: no living agent offers python; there are coder (code, typescript)');
});

test('capabilities that nobody offers together are a gap', () => {
  const agents = [coder, { ...coder, name: 'tester', capabilities: ['test'] }];

  expect(findGaps({ tasks: [task('ready', 'code', 'test')], agents })[0]?.missing).toEqual(['code', 'test']);
});

test('an agent that is lost or drains is not there', () => {
  for (const agent of [
    { ...coder, health: 'lost' as const },
    { ...coder, state: 'draining' as const },
  ]) {
    expect(findGaps({ tasks: [task('ready', 'code')], agents: [agent] })).toHaveLength(1);
  }
});

test('a task that waits for others, or runs, is no gap', () =>
  expect(findGaps({ tasks: [task('blocked', 'x'), task('running', 'x')], agents: [] })).toEqual([]));

test.each<[claim: string, look: Look, stuck: boolean]>([
  ['all that is ready lacks an agent', { tasks: [task('ready', 'x'), task('blocked', 'code')], agents: [coder] }, true],
  ['something runs', { tasks: [task('ready', 'x'), task('running', 'code')], agents: [coder] }, false],
  ['something can run', { tasks: [task('ready', 'x'), task('ready', 'code')], agents: [coder] }, false],
  ['nothing is open', { tasks: [], agents: [coder] }, false],
])('where %s, a run is stuck: %#', (_, look, stuck) => expect(isStuck(look)).toBe(stuck));
