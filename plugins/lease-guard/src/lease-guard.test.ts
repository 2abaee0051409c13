import { testValidator } from '@baton/sdk/plugin/testing';
import { test } from 'vitest';
import plugin from './index.ts';

const [leaseGuard] = plugin.validators;
const taskId = '0197f000-0000-7000-8000-000000000009';
const changed = (...files: (string | { path: string })[]) => ({
  type: 'code_changes',
  author: 'ada',
  taskId,
  attempt: 2,
  content: { files },
});
const held = (...keys: string[]) => ({
  attempts: [
    {
      taskId,
      number: 1,
      agentName: 'ada',
      token: 'ada',
      outcome: 'lost' as const,
      locks: [{ key: 'file:src/lost.ts', mode: 'exclusive' as const, fence: 1 }],
    },
    {
      taskId,
      number: 2,
      agentName: 'ada',
      token: 'ada',
      outcome: 'completed' as const,
      locks: keys.map((key) => ({ key, mode: 'exclusive' as const, fence: 2 })),
    },
  ],
});
const shared = (key: string) => ({
  attempts: [{ taskId, number: 2, agentName: 'ada', token: 'ada', locks: [{ key, mode: 'shared' as const, fence: 2 }] }],
});

test('what was changed lies within the exclusive locks of the attempt that changed it', async () => {
  await testValidator(leaseGuard!, {
    folder: new URL('..', import.meta.url),
    valid: [
      { name: 'the very file', artifacts: [changed('src/a.ts')], facts: held('file:src/a.ts') },
      { name: 'within a pattern', artifacts: [changed('src/deep/down/a.ts', { path: 'src/.env' })], facts: held('file:src/**') },
      { name: 'written otherwise', artifacts: [changed('./src//a.ts')], facts: held('file:src/a.ts') },
      { name: 'what needs none', config: { ignore: ['*.lock'] }, artifacts: [changed('pnpm.lock')], facts: held() },
      { name: 'nothing changed', artifacts: [changed()], facts: held() },
    ],
    invalid: [
      { name: 'another file', artifacts: [changed('src/a.ts', 'src/b.ts')], facts: held('file:src/a.ts'), codes: ['file_not_held'] },
      { name: 'a star within one folder', artifacts: [changed('src/deep/a.ts')], facts: held('file:src/*'), codes: ['file_not_held'] },
      { name: 'a lock of an earlier attempt', artifacts: [changed('src/lost.ts')], facts: held(), codes: ['file_not_held'] },
      { name: 'a shared lock', artifacts: [changed('src/a.ts')], facts: shared('file:src/a.ts'), codes: ['file_not_held'] },
      {
        name: 'nobody knows who',
        artifacts: [{ ...changed('src/a.ts'), attempt: 9 }],
        facts: held('file:src/a.ts'),
        codes: ['attempt_unknown'],
      },
      { name: 'no list', artifacts: [{ ...changed(), content: { count: 3 } }], facts: held(), codes: ['changes_unreadable'] },
    ],
    skipped: [{ name: 'no changes', reason: 'There is no artifact code_changes' }],
  });
});
