import type { GateFacts } from '@baton/sdk/plugin';
import { makeArtifact, testValidator } from '@baton/sdk/plugin/testing';
import { expect, test } from 'vitest';
import plugin from './index.ts';

const [review] = plugin.validators;
const code = { type: 'code_changes', author: 'ada', taskId: '0197f000-0000-7000-8000-000000000009', content: {} };
const later = '2026-01-02T00:00:00.000Z';
const by = (author: string, verdict = 'approve', taskId?: string) => ({
  type: 'review',
  name: `by ${author}`,
  author,
  content: { verdict },
  ...(taskId !== undefined && { taskId }),
});
const about = (...judged: readonly string[]) => ({ verdict: 'approve', judged: [...judged] });
const task = (id: string, type: string): GateFacts['tasks'][number] => ({
  id,
  type,
  ticketId: '0197f000-0000-7000-8000-000000000001',
  phase: 'IMPLEMENTATION',
  visit: 1,
  title: type,
  state: 'completed',
  priority: 'MEDIUM',
  capabilities: [],
  locks: [],
  dependsOn: [],
  pendingDependencies: 0,
  attempt: 1,
  maxAttempts: 3,
  timeoutMs: 60_000,
  createdAt: '2026-01-01T00:00:00.000Z',
});
const completed = (agentName: string, taskId: string) => ({
  taskId,
  number: 1,
  agentName,
  token: agentName,
  outcome: 'completed' as const,
  locks: [],
});

test('reviews count that are by others than the author, one voice each', async () => {
  await testValidator(review!, {
    folder: new URL('..', import.meta.url),
    valid: [
      { name: 'one by another', artifacts: [code, by('bob')] },
      { name: 'two of two', config: { approvals: 2 }, artifacts: [code, by('bob'), by('eva')] },
      {
        name: 'two of three, where refusals do not refuse',
        config: { approvals: 2, reviews: 3, unanimous: false },
        artifacts: [code, by('bob'), by('eva'), by('kim', 'refuse')],
      },
      {
        name: 'two agents of one name on two tokens',
        config: { approvals: 2 },
        artifacts: [code, { ...by('bob'), token: 'b' }, { ...by('bob'), token: 'c', name: 'c' }],
      },
      {
        name: 'another field',
        config: { path: 'result.state', approve: 'ok' },
        artifacts: [code, { ...by('bob'), content: { result: { state: 'ok' } } }],
      },
      {
        name: 'whoever reviewed has completed the task of the review',
        artifacts: [code, by('bob', 'approve', 'r')],
        facts: { tasks: [task('r', 'review')], attempts: [completed('ada', code.taskId), completed('bob', 'r')] },
      },
      {
        name: 'in a task of a type that is named',
        config: { tasks: ['read-code'] },
        artifacts: [code, by('bob', 'approve', 'r')],
        facts: { tasks: [task('r', 'read-code')], attempts: [completed('bob', 'r')] },
      },
      {
        name: 'one that names the digests of what it is about',
        artifacts: [
          { ...code, createdAt: later },
          { ...by('bob'), content: about(makeArtifact(code).sha256) },
        ],
      },
      {
        name: 'older than what it is not about',
        config: { of: ['code_changes'] },
        artifacts: [code, by('bob'), { type: 'test_results', author: 'ci', createdAt: later }],
      },
      {
        name: 'one that refused what is gone',
        artifacts: [{ ...code, createdAt: later, version: 2 }, by('bob', 'refuse'), { ...by('eva'), createdAt: later }],
      },
      {
        name: 'one of what is gone that another has replaced',
        artifacts: [
          { ...code, createdAt: later, version: 2 },
          { ...by('eva'), createdAt: later, version: 2 },
        ],
        facts: { replaced: [makeArtifact({ ...by('bob', 'refuse'), name: 'by eva' })] },
      },
    ],
    invalid: [
      {
        name: 'older than the code',
        artifacts: [{ ...code, createdAt: later, version: 2 }, by('bob')],
        codes: ['reviews_too_few'],
      },
      {
        name: 'newer than the code, and about another version by its own word',
        artifacts: [code, { ...by('bob'), content: about('0'.repeat(64)), createdAt: later }],
        codes: ['reviews_too_few'],
      },
      {
        name: 'older than what a task has done',
        artifacts: [by('bob')],
        facts: {
          tasks: [{ ...task('t', 'write-code'), finishedAt: later }],
          attempts: [completed('ada', 't')],
        },
        codes: ['reviews_too_few'],
      },
      { name: 'none', artifacts: [code], codes: ['reviews_too_few'] },
      { name: 'nothing at all', config: { of: ['spec'] }, artifacts: [], codes: ['nothing_to_review'] },
      {
        name: 'by the author of what is stored under another type than is reviewed',
        config: { of: ['code_changes'] },
        artifacts: [{ ...code, type: 'code' }, by('ada')],
        codes: ['nothing_to_review'],
      },
      { name: 'by the author', artifacts: [code, by('ada')], codes: ['reviews_too_few'] },
      {
        name: 'twice by one',
        config: { approvals: 2 },
        artifacts: [code, by('bob'), { ...by('bob'), name: 'again' }],
        codes: ['reviews_too_few'],
      },
      {
        name: 'from the task that made the work',
        artifacts: [by('bob', 'approve', 't')],
        facts: { tasks: [task('t', 'write-code')], attempts: [completed('bob', 't')] },
        codes: ['reviews_too_few'],
      },
      {
        name: 'by the author under another name',
        artifacts: [code, { ...by('bob'), token: 'ada' }],
        codes: ['reviews_too_few'],
      },
      {
        name: 'two names of one token',
        config: { approvals: 2 },
        artifacts: [code, { ...by('bob'), token: 'team' }, { ...by('eva'), token: 'team' }],
        codes: ['reviews_too_few'],
      },
      {
        name: 'by a name of the token that completed the task',
        artifacts: [by('bob')],
        facts: { attempts: [{ ...completed('ada', 't'), token: 'bob' }] },
        codes: ['reviews_too_few'],
      },
      {
        name: 'one who has changed his mind, under a name that comes earlier',
        artifacts: [code, { ...by('bob', 'refuse'), name: 'a', createdAt: '2026-01-02T00:00:00.000Z' }, { ...by('bob'), name: 'b' }],
        codes: ['approvals_too_few', 'review_refused'],
      },
      {
        name: 'one that another has replaced',
        artifacts: [code, { ...by('eva'), version: 2 }],
        facts: { replaced: [makeArtifact({ ...by('bob', 'refuse'), name: 'by eva' })] },
        codes: ['review_replaced'],
      },
      { name: 'one that refuses', artifacts: [code, by('bob'), by('eva', 'refuse')], codes: ['review_refused'] },
      {
        name: 'by who completed the task',
        artifacts: [by('bob')],
        facts: { attempts: [completed('bob', 't')] },
        codes: ['reviews_too_few'],
      },
    ],
  });
});

test.each([
  ['that asks for nobody', { approvals: 0 }, 'approvals'],
  ['that is about nothing', { of: [] }, 'of'],
  ['with a field that is none', { approval: 2 }, ''],
])('a configuration %s does not fit, and the field is named', (_, wrong, path) => {
  const checked = review!.config.safeParse(wrong);

  expect(checked.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
