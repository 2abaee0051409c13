import '../support/leaks.ts';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agents, createPlanFolder } from '../support/plan-folder.ts';
import { spawnBaton } from '../support/process.ts';

const says = (document: object) => ({ command: ['node', '-e', `console.log(${JSON.stringify(JSON.stringify(document))})`] });

test('one agent of a plan reviews the work of another, each with a token of its own, and none is left', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan(
    {
      IMPLEMENTATION: {
        tasks: [
          { ref: 'a', type: 'write-file', title: 'Write a', input: { file: 'a' } },
          { type: 'review', title: 'Review a', dependsOn: ['a'] },
        ],
        gate: { validators: [{ use: 'review', config: {} }] },
      },
    },
    {
      agents: {
        ...agents,
        reviewer: { ...says({ artifacts: [{ type: 'review', content: { verdict: 'approve' } }] }), capabilities: ['review'] },
      },
    },
  );

  const { code, stderr } = await spawnBaton(place.runArguments(plan));

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { gates } = await place.readReport();
  expect(gates.filter(({ phase }) => phase === 'IMPLEMENTATION')).toMatchObject([{ outcome: 'passed', reasons: [] }]);
  const files = await readdir(join(place.dataDir, 'runs'), { recursive: true });
  expect(files.filter((file) => file.endsWith('.token'))).toEqual([]);
});
