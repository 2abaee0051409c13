import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@baton/protocol';
import { expect, test } from 'vitest';
import { runBaton } from '../support/command.ts';
import { startDaemon } from '../support/daemon.ts';
import { createTestFolder } from '../support/database.ts';

const withConfig = (use: string, config: JsonObject) => ({
  name: 'configured',
  phases: [{ name: 'BUILD', gate: { tasksMin: 0, validators: [{ use, config }] } }, { name: 'DONE' }],
  edges: [{ from: 'BUILD', to: 'DONE', kind: 'forward' as const }],
});

test('a configuration that a shipped validator would not take is refused when the workflow is put', async () => {
  await using daemon = await startDaemon();
  const put = (use: string, config: JsonObject) => daemon.client.workflow.put({ definition: withConfig(use, config) });

  await expect(put('coverage', { mni: { lines: 80 } })).rejects.toMatchObject({
    data: {
      kind: 'workflow_invalid',
      fields: [
        {
          path: 'definition.phases[0].gate.validators[0].config.mni',
          message: 'The validator coverage takes no mni; it takes artifact, min, minPerFile, nothingMeasured.',
        },
      ],
    },
  });
  await expect(put('criteria', { criteria: [{ artifact: 'a', path: 'n', op: '=>', value: 1 }] })).rejects.toMatchObject({
    data: { kind: 'workflow_invalid', fields: [{ path: 'definition.phases[0].gate.validators[0].config.criteria[0].op' }] },
  });
  expect(await put('coverage', { min: { lines: 80 } })).toMatchObject({ version: 1 });
});

test('the check of a file says the same, with line and column', async () => {
  await using folder = await createTestFolder();
  const file = join(folder.path, 'configured.yaml');
  await writeFile(
    file,
    `name: configured
phases:
  - name: BUILD
    gate:
      validators:
        - use: coverage
          config:
            mni: { lines: 80 }
  - name: DONE
edges: [{ from: BUILD, to: DONE, kind: forward }]
`,
  );

  const { code, stderr } = await runBaton(['workflow', 'check', file]);

  expect(code).toBe(2);
  expect(stderr).toContain(
    `${file}:8:18 phases[0].gate.validators[0].config.mni: the validator coverage takes no mni; it takes artifact, min, minPerFile, nothingMeasured`,
  );
});
