import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asyncApiDocument } from './pages/asyncapi.ts';
import { accessPage } from './pages/access.ts';
import { configurationPage } from './pages/configuration.ts';
import { conformancePage } from './pages/conformance.ts';
import { errorsPage } from './pages/errors.ts';
import { eventsPage } from './pages/events.ts';
import { machinesPage } from './pages/machines.ts';
import { methodsPage } from './pages/methods.ts';
import { openRpcDocument } from './pages/openrpc.ts';
import { planSchemaDocument } from './pages/plan-schema.ts';
import { pythonMethodsModule } from './pages/python-methods.ts';
import { pythonTypesModule } from './pages/python-types.ts';
import { typesPage } from './pages/types.ts';
import { workflowSchemaDocument } from './pages/workflow-schema.ts';

const root = join(import.meta.dirname, '..');

/** Every generated file with what should stand in it. Each says of itself that it is generated. */
const files: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/reference/openrpc.json': openRpcDocument,
  'docs/reference/asyncapi.json': asyncApiDocument,
  'docs/reference/methods.md': methodsPage,
  'docs/reference/types.md': typesPage,
  'docs/reference/events.md': eventsPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/machines.md': machinesPage,
  'docs/reference/access.md': accessPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/conformance.md': conformancePage,
  'docs/reference/plan.schema.json': planSchemaDocument,
  'docs/reference/workflow.schema.json': workflowSchemaDocument,
  'sdk/python/baton_client/types.py': pythonTypesModule,
  'sdk/python/baton_client/methods.py': pythonMethodsModule,
};

// Written to the files, or with `--check` compared with them.
const isCheck = process.argv.includes('--check');
const outdated: string[] = [];
for (const [name, render] of Object.entries(files)) {
  const path = join(root, name);
  const wanted = await render();
  const found = existsSync(path) ? await readFile(path, 'utf8') : undefined;
  if (found === wanted) continue;
  outdated.push(name);
  if (isCheck) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, wanted);
}

if (outdated.length === 0) console.log(`${Object.keys(files).length} generated files are up to date.`);
else if (isCheck) console.error(`Out of date, run \`pnpm generate\`:\n  ${outdated.join('\n  ')}`);
else console.log(`Written:\n  ${outdated.join('\n  ')}`);
process.exitCode = isCheck && outdated.length > 0 ? 1 : 0;
