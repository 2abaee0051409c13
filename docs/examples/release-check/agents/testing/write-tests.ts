import { defineTask } from '@baton/sdk';
import { z } from 'zod';
import { readDocumentation } from '../project/documentation.ts';
import { count } from '../project/markdown.ts';
import { editFile, readWorkFile, writeWorkFile } from '../project/work-files.ts';
import { openProject } from '../project/workspace.ts';
import { writeExampleTests } from './example-tests.ts';
import { runTests } from './run-tests.ts';

const disputes = z.record(z.string(), z.string());

/**
 * Turns the documented examples of a module into tests and runs them. An example that the code does not keep fails the
 * attempt: either the document is wrong or the code, and that is not for this agent to say. The next attempt writes such
 * an example down as a question and goes on with the rest.
 */
export const writeTests = defineTask({
  type: 'write-tests',
  input: z.object({ path: z.string(), testFile: z.string() }),
  output: z.object({ testFile: z.string(), tests: z.number(), disputed: z.array(z.string()) }),
  async run({ path, testFile }, ctx) {
    const project = await openProject(ctx);
    const names = project.modules.find((module) => module.path === path)?.exports.map(({ name }) => name) ?? [];
    const promises = (await readDocumentation(project.root, new Set(names))).filter(({ examples }) => examples.length > 0);
    const disputesFile = `disputed/${testFile.replaceAll('/', '-')}.json`;
    const disputed = new Map(Object.entries((await readWorkFile(project.root, disputesFile, disputes)) ?? {}));
    const dialect = project.tests.framework === 'vitest' ? 'vitest' : 'node';
    const { text, titles } = writeExampleTests(promises, { dialect, testFile, modules: project.modules, disputed });
    await editFile(project.root, testFile, text);

    ctx.progress(50, `running ${count(titles.length, 'example')} of ${path}`);
    const { tests } = await runTests(project, { files: [testFile], signal: ctx.signal });
    const failed = tests.filter(({ outcome }) => outcome === 'failed');
    if (failed.length > 0) {
      const found = failed.map(
        ({ name, message = '' }) => [name, message.split('\n').findLast((line) => line.trim() !== '') ?? message] as const,
      );
      await writeWorkFile(project.root, disputesFile, { ...Object.fromEntries(disputed), ...Object.fromEntries(found) });
      throw new Error(
        `${count(failed.length, 'documented example')} of ${path} does not hold: ${found.map(([name, message]) => `${name} (${message})`).join('; ')}`,
      );
    }
    for (const [title, instead] of disputed) {
      ctx.note({
        kind: 'question',
        text: `Is the document wrong or the code? ${title}; the test says ${instead}.`,
        references: [{ kind: 'file', value: path }],
        pinned: true,
      });
    }
    const left = disputed.size === 0 ? '' : `; ${count(disputed.size, 'example')} left as a question`;
    ctx.summary(`${testFile}: ${count(titles.length - disputed.size, 'test')} from the documents${left}.`);
    return { testFile, tests: titles.length - disputed.size, disputed: [...disputed.keys()] };
  },
});
