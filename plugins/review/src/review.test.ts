import { testValidator } from '@baton/sdk/plugin/testing';
import { test } from 'vitest';
import plugin from './index.ts';

const [review] = plugin.validators;
const code = { type: 'code_changes', author: 'ada', taskId: '0197f000-0000-7000-8000-000000000009', content: {} };
const by = (author: string, verdict = 'approve', taskId?: string) => ({
  type: 'review',
  name: `by ${author}`,
  author,
  content: { verdict },
  ...(taskId !== undefined && { taskId }),
});
const completed = (agentName: string, taskId: string) => ({ taskId, number: 1, agentName, outcome: 'completed' as const, locks: [] });

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
        name: 'another field',
        config: { path: 'result.state', approve: 'ok' },
        artifacts: [code, { ...by('bob'), content: { result: { state: 'ok' } } }],
      },
      {
        name: 'whoever reviewed has completed the task of the review',
        artifacts: [code, by('bob', 'approve', 'r')],
        facts: { attempts: [completed('ada', code.taskId), completed('bob', 'r')] },
      },
    ],
    invalid: [
      { name: 'none', artifacts: [code], codes: ['approvals_too_few', 'reviews_too_few'] },
      { name: 'by the author', artifacts: [code, by('ada')], codes: ['approvals_too_few', 'reviews_too_few'] },
      {
        name: 'twice by one',
        config: { approvals: 2 },
        artifacts: [code, by('bob'), { ...by('bob'), name: 'again' }],
        codes: ['approvals_too_few', 'reviews_too_few'],
      },
      {
        name: 'one who has changed his mind, under a name that comes earlier',
        artifacts: [code, { ...by('bob', 'refuse'), name: 'a', createdAt: '2026-01-02T00:00:00.000Z' }, { ...by('bob'), name: 'b' }],
        codes: ['approvals_too_few', 'review_refused'],
      },
      { name: 'one that refuses', artifacts: [code, by('bob'), by('eva', 'refuse')], codes: ['review_refused'] },
      {
        name: 'by who completed the task',
        artifacts: [by('bob')],
        facts: { attempts: [completed('bob', 't')] },
        codes: ['approvals_too_few', 'reviews_too_few'],
      },
    ],
  });
});
