import { defineTask, PermanentTaskError } from '@baton/sdk';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { count } from '../project/markdown.ts';
import { publicNames } from '../project/read-project.ts';
import { runProgram, tailOf } from '../project/run-program.ts';
import { workFolder } from '../project/work-files.ts';
import { openProject } from '../project/workspace.ts';

/** Installs the package where it has never been, without the network, and imports it as a user would. */
export const tryPackage = defineTask({
  type: 'try-package',
  input: z.object({ file: z.string(), name: z.string() }),
  output: z.object({ exports: z.array(z.string()), skipped: z.string().optional() }),
  async run({ file, name }, ctx) {
    const project = await openProject(ctx);
    const consumer = join(workFolder(project.root), 'consumer');
    await rm(consumer, { recursive: true, force: true });
    await mkdir(consumer, { recursive: true });
    await writeFile(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    ctx.progress(10, `installing ${name}`);
    const install = await runProgram(
      ['npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', file],
      { cwd: consumer, signal: ctx.signal },
    );
    if (install.exitCode !== 0) {
      if (!/ENOTCACHED|ECONNREFUSED|EAI_AGAIN/.test(install.stderr))
        throw new Error(`npm install refused the package: ${tailOf(install.stderr)}`);
      const skipped = 'its dependencies are not in the cache of npm, and nothing is fetched here';
      ctx.note({ kind: 'risk', text: `The package was not installed on trial: ${skipped}.` });
      ctx.artifact({ type: 'package_check', content: { loads: null, skipped } });
      ctx.summary(`Skipped installing ${name}: ${skipped}.`);
      return { exports: [], skipped };
    }
    ctx.progress(60, `importing ${name}`);
    const script = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(name)})).sort()))`;
    const load = await runProgram([process.execPath, '--input-type=module', '--eval', script], {
      cwd: consumer,
      signal: ctx.signal,
      timeoutMs: 20_000,
    });
    if (load.exitCode !== 0) throw new PermanentTaskError(`${name} was installed and cannot be imported: ${tailOf(load.stderr)}`);
    const exports = z.array(z.string()).parse(JSON.parse(load.stdout));
    const types = new Set(
      project.modules.flatMap((module) => module.exports.filter(({ kind }) => kind === 'type').map((exported) => exported.name)),
    );
    const missing = [...publicNames(project)].filter((exported) => exported !== '*' && !types.has(exported) && !exports.includes(exported));
    if (missing.length > 0) throw new PermanentTaskError(`${name} as packed does not export ${missing.join(', ')}.`);
    ctx.artifact({ type: 'package_check', content: { loads: true, exports } });
    ctx.summary(`${name} can be installed and imported: ${count(exports.length, 'export')}.`);
    return { exports };
  },
});
