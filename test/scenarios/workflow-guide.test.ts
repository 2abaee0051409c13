import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBaton } from '../support/command.ts';
import { createTestFolder } from '../support/database.ts';

const guides = join(import.meta.dirname, '..', '..', 'docs', 'guide');

/** The blocks of a guide that are whole workflows: others show a part. */
async function workflowsOf(guide: string): Promise<string[]> {
  const text = await readFile(join(guides, guide), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '');
  return blocks.filter((code) => /^name: /m.test(code) && /^edges:/m.test(code));
}

test.each(['workflows.md', 'any-language.md'])('the workflows of %s have no mistakes', async (guide) => {
  const folder = await createTestFolder();
  const workflows = await workflowsOf(guide);
  const file = join(folder.path, 'workflow.yaml');
  try {
    expect(workflows.length).toBeGreaterThan(0);
    for (const workflow of workflows) {
      await writeFile(file, workflow);

      const { code, stdout, stderr } = await runBaton(['workflow', 'check', file]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`${file} has no mistakes.\n`);
    }
  } finally {
    await folder.remove();
  }
});
